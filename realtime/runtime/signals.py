"""Ends the program in order, whatever signal asks for it and however often."""

from __future__ import annotations

import atexit
import os
import signal
import threading
from types import FrameType

_ENDING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")  # the last one is of Windows
_PATIENCE_S = 10.0  # in which a worker whose parent is gone removes its incomplete files


def stop_on_signals() -> None:
    """Let Ctrl-C, SIGTERM and SIGHUP raise `KeyboardInterrupt` once; later ones do nothing.

    So files are closed and incomplete ones are removed, and a second Ctrl-C does not interrupt that. A
    signal that is ignored, as by `nohup`, stays ignored.
    """
    numbers = [getattr(signal, name) for name in _ENDING if hasattr(signal, name)]
    numbers = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]

    def stop(_number: int, _frame: FrameType | None) -> None:
        for number in numbers:
            signal.signal(number, ignore)
        raise KeyboardInterrupt

    def ignore(_number: int, _frame: FrameType | None) -> None:
        # With `SIG_IGN` Python would print a traceback of a second signal that came with the first.
        pass

    def keep_ignoring() -> None:
        # Python gives signals with a handler of Python's back to the system as it ends: one more would
        # end the process at once, with that signal as its exit code. Those that came are handled first.
        if hasattr(signal, "pthread_sigmask"):
            signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
        for number in numbers:
            if signal.getsignal(number) is ignore:
                signal.signal(number, signal.SIG_IGN)

    for number in numbers:
        signal.signal(number, stop)
    atexit.register(keep_ignoring)


def end_with_parent() -> None:
    """Let this process, which `multiprocessing` started, end when its parent does, even by SIGKILL."""
    from multiprocessing import parent_process
    from multiprocessing.connection import wait

    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait(_PATIENCE_S)
        os._exit(1)

    threading.Thread(target=watch, name="parent watch", daemon=True).start()
