"""Starts the `unmask` command in a process of its own, as a user does."""

from __future__ import annotations

import subprocess
import sys

RUN_UNMASK = "from realtime.cli.app import main; main()"


def start_unmask(*arguments: object, show_errors: bool = False) -> subprocess.Popen[bytes]:
    """Start `unmask` with arguments; its output is discarded, its errors too unless they are shown."""
    command = [sys.executable, "-c", RUN_UNMASK, *map(str, arguments)]
    stderr = None if show_errors else subprocess.DEVNULL
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=stderr)
