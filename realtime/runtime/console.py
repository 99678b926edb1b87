"""What the user sees on stderr: our status lines and a progress bar, without the libraries' output."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from types import FrameType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress

_LINE_INTERVAL_S = 10.0


def print_status(line: str) -> None:
    """Print one line on stderr."""
    print(f"unmask: {line}", file=sys.stderr, flush=True)


@contextmanager
def quiet_libraries(*, enabled: bool = True) -> Iterator[None]:
    """Discard what C++ libraries print to file descriptor 2; Python's own stderr still works."""
    os.environ.setdefault("GLOG_minloglevel", "2")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if not enabled or not _is_descriptor_2(sys.stderr):
        yield
        return
    sys.stderr.flush()
    with (
        os.fdopen(os.dup(2), "w", buffering=1, errors="backslashreplace") as our_stderr,
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
def stop_on_sigterm() -> Iterator[None]:
    """Treat SIGTERM like Ctrl-C, so that files are closed and incomplete ones are removed."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, stop)
    except ValueError:  # not the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


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
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import Progress, TextColumn, TimeRemainingColumn

            self._bar = Progress(
                *Progress.get_default_columns()[:2],
                TextColumn(f"{{task.completed}} {self._unit}"),
                TimeRemainingColumn(),
                console=Console(file=sys.stderr),
                transient=True,
            )
            self._bar.add_task(self._title, total=None)
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()
