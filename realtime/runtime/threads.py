"""Shares the processor among the stages of a line, which run in threads of their own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import cv2


def half_the_cores() -> int:
    """How many threads a stage should have that runs beside others: half of what the process may use."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, (allowed or 1) // 2)


@contextmanager
def opencv_in_one_thread() -> Iterator[None]:
    """Keep OpenCV from spreading small pictures over the cores: on their wake-up goes a tenth of the time.

    The setting is the process's; it is put back.
    """
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
