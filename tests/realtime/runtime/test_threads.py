"""CPU threads: how many a stage gets, and that OpenCV's setting is restored."""

from __future__ import annotations

import os

import cv2
import pytest

from realtime.runtime.threads import half_the_cores, opencv_in_one_thread


def test_opencv_threads_are_restored_after_an_error() -> None:
    before = cv2.getNumThreads()
    with pytest.raises(RuntimeError, match="a stage"), opencv_in_one_thread():
        assert cv2.getNumThreads() == 1
        raise RuntimeError("a stage failed")
    assert cv2.getNumThreads() == before


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (2, 1), (5, 2), (16, 8)])
def test_half_the_cores_counts_allowed_cores(
    cores: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)), raising=False)
    assert half_the_cores() == threads
