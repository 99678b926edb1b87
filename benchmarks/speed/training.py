"""Training speed of the presets."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence

import torch

from benchmarks.speed.engines import first_line
from benchmarks.tables import Row

# Preset and crops a step: enough to fill the largest GPUs, and no more than 40 GB of memory. Those that
# differ most come first, as the last may be left out.
_BATCHES = {"paper": 128, "fast": 512, "segmenter": 512, "glcic": 128, "paper-mask": 128}
_BATCH, _STEPS = 128, 30
# On a CPU it is a rehearsal: narrow networks, and nothing to compare with.
_CPU_BATCH, _CPU_STEPS, _CPU_WIDTH = 2, 1, 8


def training_rows(
    presets: Sequence[str], device: torch.device, allows: Callable[[str], bool]
) -> list[Row]:
    """Measure a training step of each preset, with all its losses.

    Args:
        presets: their names; all if empty.
        device: a GPU, or a CPU for a rehearsal.
        allows: is asked before each preset, with its name; False leaves it out.
    """
    from trainer.throughput import measure_training

    on_gpu = device.type == "cuda"
    rows: list[Row] = []
    for preset in presets or _BATCHES:
        if not allows(f"training {preset}"):
            continue
        batch, steps = (
            (_BATCHES.get(preset, _BATCH), _STEPS) if on_gpu else (_CPU_BATCH, _CPU_STEPS)
        )
        width = None if on_gpu else _CPU_WIDTH
        row: dict[str, str | float | int] = {"preset": preset, "batch": batch}
        row |= dict.fromkeys(("crops/s", "ms a step", "CUDA graph", "share of peak", "time"), "–")
        note = ""
        try:
            speed = measure_training(preset, device, batch=batch, steps=steps, width=width)
            row["crops/s"] = round(speed.crops_per_s, 1)
            row["ms a step"] = round(speed.ms_a_step, 2)
            row["CUDA graph"] = "yes" if speed.graphed else "no"
            row["share of peak"] = f"{speed.peak_share:.3f}"
            row["time"] = ", ".join(f"{part} {share:.0%}" for part, share in speed.shares.items())
        except Exception as error:  # out of memory, say: the others are still to be measured
            note = first_line(error)
        rows.append(row | {"note": note})
        gc.collect()  # ends the processes that drew its samples
        torch.cuda.empty_cache()
    return rows
