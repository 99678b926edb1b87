"""A spread of the hostile files and streams; all 500: `python -m benchmarks hostile`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def test_commands_on_hostile_files_fail_in_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks", "hostile", "--every", "86"]
    done = subprocess.run(
        [*command, "--count", "602", "--out", str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    *kinds, row = json.loads((tmp_path / "hostile.json").read_text())["rows"]
    assert {"faces", "model", "picture", "playlist", "stream", "video"} <= {
        k["kind"] for k in kinds
    }
    assert (row["kind"], row["files"]) == ("all", 7)
    assert row["faults"] == row["crashed"] == row["hung"] == 0
