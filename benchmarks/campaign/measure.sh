#!/usr/bin/env bash
# Call 1, 3 minutes: measures every engine and the training speed, and runs the tests that need a GPU.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

failed=0
"$PYTHON" -m benchmarks gpu --minutes "${MINUTES:-3}" --out "$OUT" ${GPU:-} || failed=1
"$PYTHON" -m pytest -m gpu -q -p no:cacheprovider ${TESTS:-tests} 2>&1 | tee "$OUT/tests.log" || failed=1
echo "At home: compare $OUT/gpu.md with docs/results.md, and take its tables over."
exit $failed
