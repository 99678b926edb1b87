"""Sharing the processor: OpenCV's setting is put back however a line ends."""

from __future__ import annotations

import cv2
import pytest

from realtime.runtime.threads import half_the_cores, opencv_in_one_thread


def test_opencv_works_in_one_thread_inside_alone() -> None:
    before = cv2.getNumThreads()
    with pytest.raises(RuntimeError, match="a stage"), opencv_in_one_thread():
        assert cv2.getNumThreads() == 1
        raise RuntimeError("a stage failed")
    assert cv2.getNumThreads() == before


def test_there_is_always_one_thread() -> None:
    assert half_the_cores() >= 1
