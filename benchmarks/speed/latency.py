"""How long the generators take a crop, taken in turn in one run so that their ratio holds."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.tables import Row, publish
from inpaint_model import open_inpainter
from inpaint_model.errors import UserError
from inpaint_model.inpainter import Inpainter

_ROUNDS = 30
REST_S = 0.02  # the last one's threads wait for more work at first, and keep the cores busy


def run(
    models: Sequence[str],
    batches: Sequence[int],
    engine: str,
    threads: int,
    out: Path | None,
    rounds: int = _ROUNDS,
) -> list[Row]:
    """Time every model at every batch size, and each against the first model.

    Args:
        models: names or ONNX files, at least one.
        batches: crops a call.
        engine: as for `open_inpainter`.
        threads: of the engine; 0 lets it decide.
        out: folder for the JSON; None writes none.
        rounds: calls of each; the models take turns.
    """
    if not models or min(batches, default=0) < 1:
        raise UserError("name at least one model, and batches of at least one crop")
    opened = [open_inpainter(name, engine, threads=threads or None) for name in models]
    rows: list[Row] = []
    try:
        for batch in batches:
            rows += _time(opened, batch, rounds)
    finally:
        for inpainter in opened:
            inpainter.close()
    publish("latency", rows, out)
    return rows


def _time(opened: Sequence[Inpainter], batch: int, rounds: int) -> list[Row]:
    crops, holes = work(batch)
    taken: list[list[float]] = [[] for _ in opened]
    for _ in range(rounds):
        for inpainter, times in zip(opened, taken, strict=True):
            time.sleep(REST_S)
            began = time.perf_counter()
            inpainter(crops, holes)
            times.append((time.perf_counter() - began) * 1000 / batch)
    first = statistics.median(taken[0])
    return [
        {
            "model": inpainter.model,
            "engine": f"{inpainter.engine}, {inpainter.precision}",
            "batch": batch,
            "ms a crop, p50": round(statistics.median(times), 2),
            "p95": round(float(np.percentile(times, 95)), 2),
            "times the first": round(statistics.median(times) / first, 2),
        }
        for inpainter, times in zip(opened, taken, strict=True)
    ]


def work(batch: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Noise with the lower half of the middle as hole: speed does not depend on the picture."""
    crops = np.random.default_rng(0).integers(0, 256, (batch, 128, 128, 3), dtype=np.uint8)
    holes = np.zeros((batch, 128, 128), np.uint8)
    holes[:, 64:, 24:104] = 1
    return crops, holes
