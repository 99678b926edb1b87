"""Writes lines to standard output or to a file."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, suppress
from io import FileIO
from pathlib import Path

from inpaint_model.errors import UserError
from realtime.feed.line import Line
from realtime.media.atomic_file import atomic_write, place_of

_READ_BYTES = 65536
_BEGINNING = b'{"schema_version"'  # of a feed's file


class StandardOutput:
    """Standard output; each line is flushed."""

    name = "standard output"
    dropped = 0

    def put(self, line: Line) -> None:
        """Write a line.

        Raises:
            BrokenPipeError: the reader has gone (`| head`); the feed ends without a word.
        """
        try:
            sys.stdout.write(line.text + "\n")
            sys.stdout.flush()
        except BrokenPipeError:
            # Python flushes once more when it ends, which would fail again with a traceback.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())
            os.close(nowhere)
            raise

    def finish(self, timeout_s: float | None = None) -> int:
        """Return 0: every line is written."""
        return 0

    def close(self) -> None:
        """Do nothing."""


class _Unfinished(Exception):
    """A file is closed before it is complete."""


class WholeFile:
    """A file that appears when it is complete: a feed that was killed makes it again from the start.

    Args:
        target: its path; a file that is there is replaced.

    Raises:
        UserError: it cannot be written.
    """

    dropped = 0

    def __init__(self, target: Path) -> None:
        self.name = str(target)
        self._writing = ExitStack()
        temporary = self._writing.enter_context(atomic_write(target))
        self._file = temporary.open("wb")

    def put(self, line: Line) -> None:
        """Write a line."""
        self._file.write(line.text.encode() + b"\n")

    def finish(self, timeout_s: float | None = None) -> int:
        """Give the file its name; return 0."""
        self._file.close()
        self._writing.close()
        return 0

    def close(self) -> None:
        """Remove what was written if it is not complete."""
        self._file.close()
        with suppress(_Unfinished), self._writing:
            raise _Unfinished


class GrowingFile:
    """A file to which lines are appended at once, so that `tail -f` shows them.

    An unfinished last line, which a feed that was killed leaves behind, is cut off first.

    Args:
        target: its path; a feed that is there is continued.
        overwrite: begin it anew.

    Raises:
        UserError: it cannot be written, or is no feed.
    """

    dropped = 0

    def __init__(self, target: Path, *, overwrite: bool) -> None:
        self.name = str(target)
        try:
            self._file = FileIO(place_of(target), "w" if overwrite else "a+")
        except OSError as error:
            raise UserError(f"{target}: cannot be written ({error.strerror})") from None
        if not overwrite:
            _cut_unfinished_line(self._file, self.name)

    def put(self, line: Line) -> None:
        """Append a line."""
        rest = memoryview(line.text.encode() + b"\n")
        while rest:
            rest = rest[self._file.write(rest) :]

    def finish(self, timeout_s: float | None = None) -> int:
        """Return 0: every line is written."""
        return 0

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _cut_unfinished_line(file: FileIO, name: str) -> None:
    file.seek(0)
    if not _BEGINNING.startswith(file.read(len(_BEGINNING))):
        raise UserError(f"{name}: exists already and is no feed; name another file")
    end = file.seek(0, os.SEEK_END)
    while end > 0:
        start = max(end - _READ_BYTES, 0)
        file.seek(start)
        line_break = file.read(end - start).rfind(b"\n")
        if line_break >= 0:
            end = start + line_break + 1
            break
        end = start
    file.truncate(end)
