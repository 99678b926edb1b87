"""Writes lines to standard output or to a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from inpaint_model.errors import UserError
from realtime.feed.line import Line
from realtime.media.atomic_file import atomic_write, check_free, check_writable, place_of
from realtime.media.growing_file import GrowingFile

_READ_BYTES = 65536
_BEGINNING = b'{"schema_version"'  # of a feed's file


def check_file(out: str, *, waits: bool | None, overwrite: bool) -> None:
    """Refuse a file that cannot be written.

    Args:
        out: its path.
        waits: whether the source is a file, so that the feed's file is made anew; None: not known yet.
        overwrite: whether it may exist then.

    Raises:
        UserError: the message says why.
    """
    target = Path(out)
    if target.is_dir():
        raise UserError(f"{out}: is a folder; name the output file")
    place = place_of(target)
    if not place.parent.is_dir():
        raise UserError(f"{out}: its folder does not exist")
    check_writable(place.parent)
    if target.exists() and not target.is_file():
        raise UserError(f"{out}: is not a file that can be replaced")
    if waits or not target.exists() or not _is_feed(target):
        check_free(target, overwrite=overwrite)


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
        target: its path.
        overwrite: replace a file that is there.
        source: nobody may read the lines who may not read this file.

    Raises:
        UserError: it cannot be written.
    """

    dropped = 0

    def __init__(self, target: Path, *, overwrite: bool, source: Path | None = None) -> None:
        self.name = str(target)
        self._writing = ExitStack()
        temporary = self._writing.enter_context(
            atomic_write(target, overwrite=overwrite, source=source)
        )
        self._file = temporary.open("wb")

    def put(self, line: Line) -> None:
        """Write a line."""
        with _named_errors(self.name):
            self._file.write(line.text.encode() + b"\n")

    def finish(self, timeout_s: float | None = None) -> int:
        """Give the file its name; return 0."""
        with _named_errors(self.name):
            self._file.close()
        self._writing.close()
        return 0

    def close(self) -> None:
        """Remove what was written if it is not complete."""
        with suppress(OSError):
            self._file.close()
        with suppress(_Unfinished), self._writing:
            raise _Unfinished


class AppendedFile:
    """A file to which lines are appended at once, so that `tail -f` shows them.

    An unfinished last line, which a feed that was killed leaves behind, is cut off first.

    Args:
        target: its path; a feed that is there is continued (`check_file` refuses other files).
        overwrite: begin it anew.

    Raises:
        UserError: it cannot be written.
    """

    dropped = 0

    def __init__(self, target: Path, *, overwrite: bool) -> None:
        self.name = str(target)
        try:
            self._file = GrowingFile(place_of(target), "w" if overwrite else "a+")
        except OSError as error:
            raise UserError(f"{target}: cannot be written ({error.strerror})") from None
        if not overwrite:
            _cut_unfinished_line(self._file)

    def put(self, line: Line) -> None:
        """Append a line."""
        with _named_errors(self.name):
            self._file.write(line.text.encode() + b"\n")

    def finish(self, timeout_s: float | None = None) -> int:
        """Return 0: every line is written."""
        return 0

    def close(self) -> None:
        """Close the file."""
        self._file.close()


@contextmanager
def _named_errors(name: str) -> Iterator[None]:
    """Raise what the disk says as a `UserError` that names the file."""
    try:
        yield
    except OSError as error:
        raise UserError(f"{name}: cannot be written ({error.strerror})") from None


def _is_feed(path: Path) -> bool:
    """Say whether a file is a feed, or empty."""
    try:
        with path.open("rb") as file:
            return _BEGINNING.startswith(file.read(len(_BEGINNING)))
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None


def _cut_unfinished_line(file: GrowingFile) -> None:
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
