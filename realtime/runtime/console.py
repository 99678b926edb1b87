"""What the user sees on stderr: our own lines and a progress bar, not the libraries' chatter."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress

_SPARSE_S = 10.0


def say(line: str) -> None:
    """Print one line on stderr."""
    print(f"unmask: {line}", file=sys.stderr, flush=True)


@contextmanager
def quiet_libraries(*, enabled: bool = True) -> Iterator[None]:
    """Keep what C++ libraries print to file descriptor 2 away; Python's stderr goes on as before."""
    os.environ.setdefault("GLOG_minloglevel", "2")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    before = sys.stderr
    if not enabled or not _is_descriptor_2(before):
        yield
        return
    before.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        with os.fdopen(os.dup(kept), "w", buffering=1, errors="backslashreplace") as ours:
            os.dup2(nowhere, 2)
            sys.stderr = ours
            yield
    finally:
        sys.stderr = before
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _is_descriptor_2(stream: object) -> bool:
    try:
        return stream is not None and stream.fileno() == 2  # pyright: ignore
    except (OSError, AttributeError, ValueError):
        return False


@contextmanager
def stop_on_sigterm() -> Iterator[None]:
    """Treat SIGTERM like Ctrl-C: what is open is closed and half-written files are removed."""

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
def say_what_engines_do() -> Iterator[None]:
    """Print what the engines log as news (level INFO), such as how far a build is."""

    class Say(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.levelno == logging.INFO:
                say(record.getMessage())

    log, handler = logging.getLogger("inpaint_model"), Say()
    before = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(before)


class FrameProgress:
    """Shows how many frames are done: a bar on a terminal, else a line now and then."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._bar: Progress | None = None
        self._last_s = self._began_s = 0.0

    def __call__(self, done: int, expected: int) -> None:
        """Take the frames done and the frames expected (0: not known)."""
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=done, total=expected or None)
            return
        now_s = time.monotonic()
        if not self._began_s:
            self._last_s = self._began_s = now_s
        if now_s - self._last_s > _SPARSE_S:
            of = f" of about {expected}" if expected else ""
            say(f"{done}{of} frames, {done / (now_s - self._began_s):.1f} frames/s")
            self._last_s = now_s

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import Progress, TextColumn, TimeRemainingColumn

            self._bar = Progress(
                *Progress.get_default_columns()[:2],
                TextColumn("{task.completed} frames"),
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
