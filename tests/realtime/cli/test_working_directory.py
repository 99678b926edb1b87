"""What lies beside someone's videos is never run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

_TRAPS = ("av", "cv2", "multiprocessing", "numpy", "openvino")
_COMMANDS = (
    ("doctor",),
    ("video", "no.mp4", "out.mp4"),
    ("live",),  # a process of its own tries the display
    ("batch", "room.png", "--out", "out"),  # a worker
)


def test_commands_run_no_module_of_the_folder(tmp_path: Path) -> None:
    for name in _TRAPS:
        (tmp_path / f"{name}.py").write_text("open('TRAPPED', 'w'); raise SystemExit(77)")
    Image.fromarray(np.full((32, 32, 3), 90, np.uint8)).save(tmp_path / "room.png")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "DISPLAY": ":987"}
    environment.pop("WAYLAND_DISPLAY", None)
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "realtime", *command],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for command in _COMMANDS
    ]
    said = [process.communicate(timeout=300)[1] for process in processes]
    assert not (tmp_path / "TRAPPED").exists()
    assert [process.returncode for process in processes] == [0, 2, 2, 0], said
