"""What the user sees on stderr: our status lines and a progress bar, without the libraries' output."""

from __future__ import annotations

import io
import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, suppress
from typing import TYPE_CHECKING, Self

from realtime.runtime.shown_text import printable

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer
    from rich.progress import Progress

_LINE_INTERVAL_S = 10.0


def print_status(line: str) -> None:
    """Print one line on stderr, as `printable` makes it; if it cannot be shown, the job goes on."""
    with suppress(OSError, ValueError):  # a full disk; a stream that is closed
        print(f"unmask: {printable(line)}", file=sys.stderr, flush=True)


def print_result(line: object = "") -> None:
    """Print one line of a result on stdout, as `printable` makes it.

    Raises:
        OSError: it cannot be written, which only an unbuffered stream says at once; see `flush_results`.
    """
    print(printable(str(line)))


def open_standard_streams() -> None:
    """Put the null device in the place of standard streams that are closed.

    Else the next file that is opened would be number 1 or 2, and libraries would write messages into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for name, number in (("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w", closefd=False))  # noqa: SIM115


def flush_results() -> bool:
    """Write stdout through, and say whether that worked; what cannot be written is dropped.

    Python would flush it when it ends, and print a traceback.
    """
    try:
        sys.stdout.flush()
    except (OSError, ValueError) as error:
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())
            os.close(nowhere)
        return isinstance(error, BrokenPipeError)  # such as `| head`: its reader wants no more
    return True


class _Messages(io.FileIO):
    """A descriptor for messages: what cannot be written there is dropped, and never an error."""

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data) or memoryview(data).nbytes
        except OSError:
            return memoryview(data).nbytes


@contextmanager
def quiet_libraries(*, enabled: bool = True) -> Iterator[None]:
    """Discard what C++ libraries print to file descriptor 2.

    Python's own stderr still works, and a message that cannot be written there is no error.
    """
    os.environ.setdefault("GLOG_minloglevel", "2")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if not enabled or not _is_descriptor_2(sys.stderr):
        yield
        return
    with suppress(OSError):
        sys.stderr.flush()
    messages = io.BufferedWriter(_Messages(os.dup(2), "w"))
    with (
        io.TextIOWrapper(messages, errors="backslashreplace", line_buffering=True) as our_stderr,
        open(os.devnull, "wb") as null,  # noqa: PTH123 (a device, not a path)
        redirect_stderr(our_stderr),
    ):
        os.dup2(null.fileno(), 2)
        try:
            yield
        finally:
            our_stderr.flush()
            os.dup2(our_stderr.fileno(), 2)


def _is_descriptor_2(stream: object) -> bool:
    try:
        return stream is not None and stream.fileno() == 2  # pyright: ignore
    except (OSError, AttributeError, ValueError):
        return False


@contextmanager
def print_engine_news() -> Iterator[None]:
    """Print what the engines log at level INFO, such as the progress of a build."""

    class StatusHandler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.levelno == logging.INFO:
                print_status(record.getMessage())

    log, handler = logging.getLogger("inpaint_model"), StatusHandler()
    before = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(before)


class FrameProgress:
    """Shows how many frames are done: a progress bar on a terminal, otherwise a line from time to time.

    Args:
        title: shown beside the bar.
        unit: what is counted.
    """

    def __init__(self, title: str, unit: str = "frames") -> None:
        self._title, self._unit = title, unit
        self._bar: Progress | None = None
        self._last_s = self._began_s = 0.0

    def __call__(self, done: int, expected: int) -> None:
        """Show the number of frames done of those expected (0: unknown)."""
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=done, total=expected or None)
            return
        now_s = time.monotonic()
        if not self._began_s:
            self._last_s = self._began_s = now_s
        if now_s - self._last_s > _LINE_INTERVAL_S:
            of = f" of about {expected}" if expected else ""
            rate = f"{done / (now_s - self._began_s):.1f} {self._unit}/s"
            print_status(f"{done}{of} {self._unit}, {rate}")
            self._last_s = now_s

    def __enter__(self) -> Self:
        if sys.stderr is not None and sys.stderr.isatty():
            from rich.console import Console
            from rich.markup import escape
            from rich.progress import Progress, TextColumn, TimeRemainingColumn

            self._bar = Progress(
                *Progress.get_default_columns()[:2],
                TextColumn(f"{{task.completed}} {self._unit}"),
                TimeRemainingColumn(),
                console=Console(file=sys.stderr),
                transient=True,
            )
            self._bar.add_task(escape(printable(self._title)), total=None)
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()
