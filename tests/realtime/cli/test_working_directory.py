"""What lies beside someone's videos is never run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from inpaint_model.model_files import WEIGHTS_DIR

_TRAPS = ("av", "cv2", "multiprocessing", "numpy", "openvino")
_COMMANDS = (
    ("doctor",),
    ("image", "room.png", "out.png", "--model", "m.onnx"),  # a process of its own tries the model
    ("live",),  # a process of its own tries the display
    ("batch", "room.png", "--out", "out"),  # a worker
)


def test_commands_run_no_module_of_the_folder(tmp_path: Path) -> None:
    for name in _TRAPS:
        (tmp_path / f"{name}.py").write_text("open('TRAPPED', 'w'); raise SystemExit(77)")
    Image.fromarray(np.full((32, 32, 3), 90, np.uint8)).save(tmp_path / "room.png")
    shutil.copyfile(WEIGHTS_DIR / "fast.onnx", tmp_path / "m.onnx")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "DISPLAY": ":987"}
    environment.pop("WAYLAND_DISPLAY", None)
    done = [
        subprocess.run(
            [sys.executable, "-m", "realtime", *command],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        for command in _COMMANDS
    ]
    assert not (tmp_path / "TRAPPED").exists()
    assert [one.returncode for one in done] == [0, 0, 2, 0], [one.stderr for one in done]
