"""Milliseconds a crop of the generators, timed in turn in one run."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from benchmarks.speed.turns import REST_S, noise_crops, time_in_turn
from benchmarks.tables import Row, publish
from inpaint_model import open_inpainter
from inpaint_model.errors import UserError
from inpaint_model.inpainter import Inpainter


def run(
    models: Sequence[str],
    batches: Sequence[int],
    engine: str,
    threads: int,
    out: Path | None,
    rounds: int = 30,
) -> list[Row]:
    """Time every model at every batch size, and compare each with the first model.

    Args:
        models: names or ONNX files, at least one.
        batches: crops a call.
        engine: as for `open_inpainter`.
        threads: CPU threads of the engine; 0 lets it decide.
        out: folder for the JSON; None writes none.
        rounds: calls of each model.

    Raises:
        UserError: there is no model, or a batch of no crop.
    """
    if not models or min(batches, default=0) < 1:
        raise UserError("name at least one model, and batches of at least one crop")
    with contextlib.ExitStack() as stack:
        inpainters = [
            stack.enter_context(open_inpainter(name, engine, threads=threads or None))
            for name in models
        ]
        rows = [row for batch in batches for row in _rows(inpainters, batch, rounds)]
    return publish("latency", rows, out)


def _rows(inpainters: Sequence[Inpainter], batch: int, rounds: int) -> list[Row]:
    work = noise_crops(batch)
    ways = {str(number): partial(one, *work) for number, one in enumerate(inpainters)}
    times = list(time_in_turn(ways, rounds, rest_s=REST_S).values())
    return [
        {
            "model": inpainter.model,
            "engine": f"{inpainter.engine}, {inpainter.precision}",
            "batch": batch,
            "ms a crop, p50": round(taken.wall_ms() / batch, 2),
            "p95": round(taken.wall_ms(95) / batch, 2),
            "times the first": round(taken.wall_ms() / times[0].wall_ms(), 2),
        }
        for inpainter, taken in zip(inpainters, times, strict=True)
    ]
