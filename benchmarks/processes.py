"""Starts the `unmask` command in a process of its own, as a user does."""

from __future__ import annotations

import resource
import subprocess
import sys

RUN_UNMASK = "from realtime.cli.app import main; main()"


def start_unmask(
    *arguments: object, show_errors: bool = False, largest_file: int | None = None
) -> subprocess.Popen[bytes]:
    """Start `unmask` with arguments; its output is discarded, its errors too unless they are shown.

    With `largest_file`, a write beyond so many bytes of a file fails, as on a full disk.
    """

    def limit() -> None:
        if largest_file is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))

    command = [sys.executable, "-c", RUN_UNMASK, *map(str, arguments)]
    stderr = None if show_errors else subprocess.DEVNULL
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=stderr, preexec_fn=limit)
