"""Signals: whatever comes while the program is being stopped, it ends in order."""

from __future__ import annotations

import subprocess
import sys

import pytest

# Another process sends SIGHUP without pause, until this one is gone.
_STOPPED = """
import os, signal, subprocess, sys, time
from realtime.runtime.signals import stop_on_signals
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests may run under nohup
stop_on_signals()
try:
    command = f"while kill -HUP {os.getpid()}; do :; done"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    sender = subprocess.Popen(["sh", "-c", command], **quiet)  # its deletion ignores errors
    time.sleep(60)
except KeyboardInterrupt:
    print("stopped")
    sys.exit(1)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGHUP")
def test_stopped_program_keeps_its_exit_code_while_signals_go_on() -> None:
    done = subprocess.run([sys.executable, "-c", _STOPPED], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (1, "stopped\n", "")
