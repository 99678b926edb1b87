"""Messages that cannot be shown end nothing, and show nothing that a terminal would obey."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from realtime.runtime.console import FrameProgress

_PROGRAM = """
import os, sys
from contextlib import suppress
from realtime.runtime.console import *
open_standard_streams()
with quiet_libraries(), FrameProgress("job") as progress:
    print_status("one")
    progress(1, 2)
    print_result("two")
os.write(os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT), b"done")
with suppress(OSError):
    os.write(2, b"a library's message")
sys.exit(0 if flush_results() else 3)
"""


@pytest.mark.parametrize(
    ("streams", "code"),
    [("2>/dev/full", 0), (">&- 2>&- <&-", 0), (">/dev/full", 3), ("| head -c 0", 0)],
)
def test_messages_that_cannot_be_shown_end_nothing(streams: str, code: int, tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no full disk here")
    (tmp_path / "program.py").write_text(_PROGRAM)
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    command = f"set -o pipefail; {sys.executable} program.py done {streams}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "done").read_bytes() == b"done"


@pytest.mark.parametrize(("streams", "code"), [(">&- 2>&-", 0), (">/dev/full", 1)])
def test_version_that_cannot_be_shown_ends_in_order(streams: str, code: int) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no full disk here")
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    command = f"{sys.executable} -m realtime --version {streams}"
    done = subprocess.run(["bash", "-c", command], env=environment, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    assert ("cannot be written to standard output" in done.stderr) == bool(code)
    assert "Traceback" not in done.stderr


def test_progress_title_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = os.openpty()
    monkeypatch.setenv("TERM", "xterm")
    with open(theirs, "w") as terminal:  # noqa: PTH123 (a descriptor, not a path)
        monkeypatch.setattr(sys, "stderr", terminal)
        with FrameProgress("[red]a[/red] \x1b]0;title\x07[link=x]b.mp4"):
            pass
        shown = os.read(ours, 10_000).decode()
    os.close(ours)
    assert r"[red]a[/red] \x1b]0;title\x07[link=x]b.mp4" in shown
    assert "\x1b[" in shown  # it is a bar
    assert "\x1b]" not in shown
