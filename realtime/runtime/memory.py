"""Keeps memory flat: what frames took goes back to the system as soon as they are done with."""

from __future__ import annotations

import ctypes
import platform

_M_MMAP_THRESHOLD = -3
_LARGE_BYTES = 4_000_000  # a BGR frame of 1080p is more, one of 720p less


def return_freed_frames() -> None:
    """Have glibc take blocks of 4 MB and more from the system, one by one, and give them back at once.

    By itself it learns to keep blocks of up to 32 MB in its heaps, one for each thread, and frames that
    are made in one thread and freed in another leave gaps there. It takes time to do otherwise, a sixth
    of that of a video of 1080p, so smaller frames stay as they are. Elsewhere nothing is done.
    """
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
