"""Detects faces in a thread of its own; a frame or two later optical flow moves them to the present."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from realtime.frames import Face
from realtime.track.optical_flow import OpticalFlow

_NICE = 10  # by so much the priority of the thread is lowered (Linux: 0 normal, 19 lowest)


class BackgroundDetector:
    """Runs one detection at a time in the background: it takes longer than the time between two frames.

    Args:
        detect: finds the faces of a picture, uint8 [H, W, 3], RGB; called from one thread, never twice at
            once.
    """

    def __init__(self, detect: Callable[[NDArray[np.uint8]], list[Face]]) -> None:
        self._detect = detect
        self._thread: ThreadPoolExecutor | None = None
        self._flow = OpticalFlow()
        self._pending: Future[list[Face]] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a detection runs, or its result was not taken yet."""
        return self._pending is not None

    def begin(self, image_rgb: NDArray[np.uint8], grey: NDArray[np.uint8]) -> None:
        """Start a detection in a frame, uint8 [H, W, 3] RGB and [H, W] grey; neither may be changed."""
        self._flow.remember(grey)
        self._pending = self._submit(image_rgb)

    def now(self, image_rgb: NDArray[np.uint8]) -> list[Face]:
        """Detect the faces of a frame, uint8 [H, W, 3] RGB, and wait for them."""
        self.discard()
        return self._submit(image_rgb).result()

    def _submit(self, image_rgb: NDArray[np.uint8]) -> Future[list[Face]]:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(
                1, thread_name_prefix="background-detection", initializer=_lower_priority
            )
        return self._thread.submit(self._detect, image_rgb)

    def take(self, grey: NDArray[np.uint8]) -> list[Face] | None:
        """Return the detected faces, moved by optical flow to the present frame; None while it runs.

        A face that optical flow has lost stays where it was detected.

        Args:
            grey: uint8 [H, W], the present frame.

        Raises:
            BaseException: what the detection raised.
        """
        if self._pending is None or not self._pending.done():
            return None
        finished, self._pending = self._pending, None
        return [self._flow.follow(face, grey) or face for face in finished.result()]

    def discard(self) -> None:
        """Wait for a detection that runs, and drop its result."""
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.exception()

    def close(self) -> None:
        """End the thread; the next detection starts another one."""
        self.discard()
        if self._thread is not None:
            self._thread.shutdown()
            self._thread = None


def _lower_priority() -> None:
    """Lower the priority of this thread and of those it starts, so that frames come first (Linux only)."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        own = os.getpriority(os.PRIO_PROCESS, thread)
        os.setpriority(os.PRIO_PROCESS, thread, min(own + _NICE, 19))
