"""Frames that are done with do not stay in the process's memory."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

_PROGRAM = """
import threading
import numpy as np, psutil
from realtime.runtime.memory import return_freed_frames

def resident_mb():
    return psutil.Process().memory_info().rss / 1e6

def frames(kept):
    made = [np.ones(6_000_000, np.uint8) for _ in range(40)]
    kept.append(made[-1].copy())  # at the heap's end: what lies below it cannot be trimmed

if {asked}:
    return_freed_frames()
np.ones(30_000_000, np.uint8)  # glibc learns from the first large block it frees
before, kept = resident_mb(), []
thread = threading.Thread(target=frames, args=[kept])
thread.start()
thread.join()
print(resident_mb() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps what is freed so")
def test_memory_of_frames_from_threads_is_returned() -> None:
    kept_mb = {
        asked: float(
            subprocess.run(
                [sys.executable, "-c", _PROGRAM.format(asked=asked)],
                check=True,
                capture_output=True,
                text=True,
            ).stdout
        )
        for asked in (True, False)
    }
    assert kept_mb[True] < 20
    assert kept_mb[True] < kept_mb[False]


_HEAPS = """
import ctypes, threading
{beginning}
libc, together = ctypes.CDLL(None), threading.Barrier(8)
libc.malloc.restype = ctypes.c_void_p
def use_memory():
    together.wait()
    libc.malloc(100_000)
    together.wait()
threads = [threading.Thread(target=use_memory) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc.malloc_info(0, ctypes.c_void_p.in_dll(libc, "stdout"))
libc.fflush(None)
"""


_COMMAND = """
import sys
from realtime.cli.app import main
sys.argv[1:] = ["--version"]
try:
    main()
except SystemExit:
    pass
"""
_WORKER = """
from multiprocessing import Pipe
from realtime.batch import local
from realtime.batch.worker import WorkerOptions
local.end_with_parent = lambda: None  # there is none
ours, theirs = Pipe()
ours.close()
local._work(theirs, WorkerOptions())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has a heap a thread")
@pytest.mark.parametrize(("beginning", "few"), [(_COMMAND, True), (_WORKER, True), ("", False)])
def test_memory_of_threads_is_in_few_heaps(beginning: str, few: bool) -> None:
    program = _HEAPS.format(beginning=beginning)
    shown = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stdout
    assert (shown.count("<heap ") <= 2) == few
