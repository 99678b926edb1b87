"""Looks for faces in a thread of its own, and says a frame or two later where they are by then."""

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

_NICE = 10


class BackgroundDetector:
    """Has one look at a time under way; finding faces takes longer than the next frame waits.

    Args:
        find: finds the faces of a picture, uint8 [H, W, 3], RGB; called from one thread, never twice at
            once.
    """

    def __init__(self, find: Callable[[NDArray[np.uint8]], list[Face]]) -> None:
        self._find = find
        self._thread: ThreadPoolExecutor | None = None
        self._flow = OpticalFlow()
        self._look: Future[list[Face]] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a look is under way, or what it found was not taken yet."""
        return self._look is not None

    def begin(self, image_rgb: NDArray[np.uint8], grey: NDArray[np.uint8]) -> None:
        """Look for the faces of a frame, uint8 [H, W, 3] RGB and [H, W]; neither may be changed."""
        self._flow.remember(grey)
        self._look = self._submit(image_rgb)

    def now(self, image_rgb: NDArray[np.uint8]) -> list[Face]:
        """Find the faces of a frame, uint8 [H, W, 3] RGB, and wait for them."""
        self.discard()
        return self._submit(image_rgb).result()

    def _submit(self, image_rgb: NDArray[np.uint8]) -> Future[list[Face]]:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(
                1, thread_name_prefix="lookout", initializer=_let_others_go_first
            )
        return self._thread.submit(self._find, image_rgb)

    def take(self, grey: NDArray[np.uint8]) -> list[Face] | None:
        """Return what was found, moved to where optical flow sees it by now; None while it looks.

        Where flow does not know, a face is where it was found.

        Args:
            grey: uint8 [H, W], the present frame.

        Raises:
            BaseException: what finding the faces raised.
        """
        if self._look is None or not self._look.done():
            return None
        look, self._look = self._look, None
        return [self._flow.follow(face, grey) or face for face in look.result()]

    def discard(self) -> None:
        """Wait for a look that is under way, and forget what it found."""
        look, self._look = self._look, None
        if look is not None:
            look.exception()

    def close(self) -> None:
        """End the thread; another look begins another one."""
        self.discard()
        if self._thread is not None:
            self._thread.shutdown()
            self._thread = None


def _let_others_go_first() -> None:
    """Lower the priority of this thread and those it begins, where each has its own."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        own = os.getpriority(os.PRIO_PROCESS, thread)
        os.setpriority(os.PRIO_PROCESS, thread, min(own + _NICE, 19))
