"""Limits CPU threads, because the stages of a pipeline run in threads of their own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import cv2


def half_the_cores() -> int:
    """Return half the cores that the process may use: the threads of a stage that runs beside others."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, (allowed or 1) // 2)


@contextmanager
def opencv_in_one_thread() -> Iterator[None]:
    """Run OpenCV in one thread, and restore its setting afterwards.

    For small images, waking OpenCV's worker threads costs a tenth of the time. The setting is
    process-wide.
    """
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
