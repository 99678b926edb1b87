#!/usr/bin/env bash
# Call 2, 9 minutes: trains `paper` and `glcic` on equal crops and measures the paper's Table 4.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

"$PYTHON" -m benchmarks table4 --data "$CELEBA" --runs "$RUNS/table4" --batch "${BATCH:-64}" --out "$OUT" \
    ${TABLE4:---minutes 8.3 --compile} 2>&1 | tee "$OUT/table4.log"
RUNS=$RUNS/table4 bring_home table4 paper glcic
echo "At home: python -m benchmarks table4 --data data/celeba.npz --runs runs --out out/table4"
