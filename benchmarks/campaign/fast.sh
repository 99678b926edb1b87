#!/usr/bin/env bash
# Call 3, 8 minutes: trains `fast` from nothing, with every loss and every augmentation.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

fit fast "${MINUTES:-8}" --preset fast --batch "${BATCH:-128}"
echo "At home: python -m trainer evaluate --model runs/fast/fast.onnx --data data/faces.npz --out out/fast"
