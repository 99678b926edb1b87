#!/usr/bin/env bash
# Call 4, 5 minutes: trains `paper-mask`, which ships as `paper`, from nothing.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

fit paper-mask "${MINUTES:-5}" --preset paper-mask --batch "${BATCH:-64}"
echo "At home: python -m trainer evaluate --model runs/paper-mask/paper.onnx --data data/faces.npz --out out/paper"
