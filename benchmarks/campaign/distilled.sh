#!/usr/bin/env bash
# Call 6, 8 minutes: trains a `fast` of twice the width, then a `fast` that follows its fills too.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

fit teacher "${MINUTES:-4}" --preset fast --width "${WIDTH:-64}" --batch "${BATCH:-128}"
fit distilled "${MINUTES:-4}" --preset fast --teacher "$RUNS/teacher" --batch "${BATCH:-128}"
echo "At home: python -m trainer evaluate --model runs/distilled/fast.onnx --data data/faces.npz --out out/distilled"
