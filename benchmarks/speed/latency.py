"""Milliseconds a crop of the generators, timed in turn in one run."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from functools import partial

from benchmarks.options import BATCHES, MODELS, Batches, Engine, Models, Out, Rounds, Threads
from benchmarks.speed.turns import REST_S, noise_crops, time_in_turn
from benchmarks.tables import Row, publish
from inpaint_model import open_inpainter
from inpaint_model.errors import UserError
from inpaint_model.inpainter import Inpainter


def run(
    model: Models = None,
    batch: Batches = None,
    engine: Engine = "auto",
    threads: Threads = 0,
    rounds: Rounds = 30,
    out: Out = None,
) -> list[Row]:
    """Measure milliseconds a crop of every model at every batch size, compared with the first model."""
    batches = batch or BATCHES
    if min(batches) < 1:
        raise UserError("a batch has at least one crop")
    with contextlib.ExitStack() as stack:
        inpainters = [
            stack.enter_context(open_inpainter(name, engine, threads=threads or None))
            for name in model or MODELS
        ]
        rows = [row for size in batches for row in _rows(inpainters, size, rounds)]
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
