"""Files under their final names from the first byte: what is written stays, whatever ends the program."""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Callable
from pathlib import Path

from inpaint_model.own_files import NO_LINKS

_NO_WAITING = getattr(os, "O_NONBLOCK", 0)  # for the reader of a pipe


class GrowingFile(io.FileIO):
    """A file without a buffer; each write is whole or an error.

    Args:
        path: where it lies. A link and a file that has other names as well are refused.
        mode: of `open`: "x" refuses a file that is there, "w" empties it, "a" appends to it.

    Attributes:
        error: what the last write that failed failed with; FFmpeg does not pass it on.

    Raises:
        OSError: it cannot be opened.
    """

    def __init__(self, path: Path, mode: str) -> None:
        self.error: OSError | None = None
        super().__init__(path, mode, opener=_open_plain)
        if "w" in mode:
            self.truncate()

    def write(self, data: bytes | memoryview) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Write all bytes; return their number."""
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[super().write(rest) or 0 :]
        except OSError as error:
            self.error = error
            raise
        return len(data)


def open_numbered(name: Callable[[int], Path]) -> tuple[Path, GrowingFile]:
    """Make the first file of `name(1)`, `name(2)`, ... that does not exist, for reading and writing.

    Raises:
        OSError: it cannot be made.
    """
    number = 1
    while True:
        try:
            return name(number), GrowingFile(name(number), "x+")
        except FileExistsError:
            number += 1


def _open_plain(name: str, flags: int) -> int:
    """Open a file, and empty it only once it is known to be a plain one with a single name."""
    descriptor = os.open(name, flags & ~os.O_TRUNC | NO_LINKS | _NO_WAITING, 0o666)
    state = os.fstat(descriptor)
    if not stat.S_ISREG(state.st_mode) or state.st_nlink > 1:
        os.close(descriptor)
        raise OSError(errno.EPERM, "is not a plain file of its own", name)
    return descriptor
