"""Returns the memory of freed frames to the operating system at once."""

from __future__ import annotations

import ctypes
import platform

_M_MMAP_THRESHOLD = -3  # the parameter's number in glibc's malloc.h
_LARGE_BYTES = 4_000_000  # a BGR frame of 1080p is more, one of 720p less


def return_freed_frames() -> None:
    """Make glibc map blocks of 4 MB and more one by one, so that each is returned when it is freed.

    By default glibc learns to keep blocks of up to 32 MB in a heap for each thread, and frames that are
    made in one thread and freed in another leave gaps there. Mapping takes a sixth of the time of a
    1080p video, so the setting of smaller frames stays as it is. Other C libraries are left alone.
    """
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
