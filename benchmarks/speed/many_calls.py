"""Calls an engine ten thousand times: neither memory nor results may change."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

import numpy as np
import psutil
import torch

from benchmarks.speed.parity import LIMIT_LEVELS, difference, sample_crops
from benchmarks.tables import Row
from inpaint_model import open_inpainter

_BATCHES = (1, 2, 3, 4)  # faces in a frame
_SETTLE_ROUNDS = 25  # of all batch sizes, before memory is read


def call_many_times(model: str, engine: str, calls: int, allows: Callable[[], bool]) -> Row:
    """Call an engine with 1 to 4 crops in turn, and compare each result with the first of its size.

    Args:
        model: fast, paper or an ONNX file.
        engine: its name, or auto.
        calls: number of calls.
        allows: is asked before each call; False ends the run.

    Returns:
        A row of a table; memory is that of the whole process, and of the whole GPU if there is one.
    """
    work = [sample_crops(batch) for batch in _BATCHES]
    took_s = np.zeros(calls)
    done = other = wrong = 0
    with open_inpainter(model, engine) as inpainter:
        first = [inpainter(*given) for given in work]
        for given in min(_SETTLE_ROUNDS, calls // len(work)) * work:
            inpainter(*given)
        before = _host_mib(), _device_mib()
        pairs = itertools.cycle(zip(work, first, strict=True))
        for given, expected in itertools.islice(pairs, calls):
            if not allows():
                break
            began = time.perf_counter()
            filled = inpainter(*given)
            took_s[done] = time.perf_counter() - began
            done += 1
            if not np.array_equal(filled, expected):
                levels, equal = difference(filled, expected, *given)
                other, wrong = other + 1, wrong + (levels > LIMIT_LEVELS or not equal)
        after = _host_mib(), _device_mib()
        name = f"{inpainter.engine}, {inpainter.precision}"
    took_ms = took_s[: max(done, 1)] * 1e3
    return {
        "model": model,
        "engine": name,
        "calls": done,
        "wrong results": int(wrong),
        "not bit for bit the first": other,
        "ms a call, p50": round(float(np.median(took_ms)), 3),
        "slowest": round(float(took_ms.max()), 3),
        "host MiB, before": round(before[0], 1),
        "host MiB, after": round(after[0], 1),
        "GPU MiB, before": before[1],
        "GPU MiB, after": after[1],
    }


def _host_mib() -> float:
    return psutil.Process().memory_info().rss / 2**20


def _device_mib() -> float | str:
    """Return how much of the GPU's memory is taken, by all that use it."""
    if not torch.cuda.is_available():
        return "–"
    free, total = torch.cuda.mem_get_info()
    return round((total - free) / 2**20, 1)
