# Functions of the campaign's scripts, which source this file. docs/training.md explains them.
#
# Variables that a caller may set:
#   OUT         folder whose files travel home; at most 8 files of at most 16 MiB
#   RUNS        folder of the runs; it stays on the machine, so that a second call resumes
#   FACES       prepared faces with a margin; several files are separated by spaces
#   CELEBA      prepared CelebA faces for `paper` and `glcic`
#   RECOGNISER  folder of the face recogniser's weights
#   MINUTES     minutes of the script's training or measurement
#   BATCH       crops a step
#   FIT         further options of every `trainer fit`; with --crops N it replaces the minutes
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

OUT=${OUT:-out/campaign}
RUNS=${RUNS:-runs/campaign}
FACES=${FACES:-data/pack.npz}
CELEBA=${CELEBA:-data/celeba.npz}
RECOGNISER=${RECOGNISER:-data/recogniser}
FIT=${FIT---compile}
PYTHON=${PYTHON:-python3}
export PYTHONUNBUFFERED=1
mkdir -p "$OUT" "$RUNS"
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT

# fit NAME MINUTES OPTION...: train the run NAME, or go on with it, and bring its weights home.
fit() {
    local name=$1 minutes=$2 data=()
    shift 2
    for file in $FACES; do data+=(--data "$file"); done
    local length=(--minutes "$minutes") resume=()
    if [[ " $FIT " == *" --crops "* ]]; then length=(); fi
    if [ -f "$RUNS/$name/config.json" ]; then resume=(--resume); fi
    save_each_minute "$name" >/dev/null 2>&1 &  # its sleep outlives it and must not hold the output
    local saver=$!
    "$PYTHON" -m trainer fit "${data[@]}" --run "$RUNS/$name" "${length[@]}" \
        --recogniser "$RECOGNISER" $FIT "$@" "${resume[@]}" 2>&1 | tee -a "$RUNS/$name.log"
    kill "$saver"
    bring_home "$name" "$name"
}

# save_each_minute NAME: copy the averaged weights of each new checkpoint to OUT, for a call that is cut off.
save_each_minute() {
    while sleep 20; do
        rm -rf "$OUT/$1.part"
        mkdir "$OUT/$1.part"
        if cp "$RUNS/$1"/config.json "$RUNS/$1"/checkpoint-*/average-* "$OUT/$1.part" 2>/dev/null; then
            rm -rf "${OUT:?}/$1"
            mv "$OUT/$1.part" "$OUT/$1"
        fi
    done
}

# bring_home NAME RUN...: pack what `evaluate` and `export` need of the runs into OUT/NAME.tar.00, .01, ...
bring_home() {
    local name=$1 run files=()
    shift
    for run in "$@"; do
        files+=("$run/config.json" "$run/metrics.csv")
        if compgen -G "$RUNS/$run/*.onnx" >/dev/null; then
            files+=($(cd "$RUNS" && echo "$run"/*.onnx))
        else
            files+=($(cd "$RUNS" && echo "$run"/checkpoint-*/average-*))
        fi
        rm -rf "${OUT:?}/$run" "${OUT:?}/$run.part"
    done
    tar -C "$RUNS" -c "${files[@]}" | split -b 15M -d - "$OUT/$name.tar."
    echo "At home: cat $OUT/$name.tar.* | tar -x -C runs"
}
