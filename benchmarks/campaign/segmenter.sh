#!/usr/bin/env bash
# Call 5, 4 minutes: trains the mask segmenter from nothing.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

fit segmenter "${MINUTES:-4}" --preset segmenter --batch "${BATCH:-64}"
echo "At home: python -m trainer export --run runs/segmenter --data data/faces.npz --out out/segmenter"
