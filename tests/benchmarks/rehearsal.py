"""Runs the scripts for a rented GPU at small size."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIMIT_BYTES = 16 * 2**20
SMALL = {
    "BATCH": "2",
    "WIDTH": "8",
    "FIT": "--crops 4 --accelerator cpu --threads 1",
    "TABLE4": "--crops 4 --width 4 --threads 1",
    "GPU": "--device cpu --model fast --batch 1 --rounds 1 --soak 8 --preset segmenter --no-compiled",
    "TESTS": "tests/inpaint_model/engines/cuda/test_graphs.py",
}


def rehearse(script: str, machine: Path, out: Path, **settings: object) -> list[str]:
    """Run a script at small size; return the names of the files that would travel home."""
    environment = os.environ | SMALL | {name: str(value) for name, value in settings.items()}
    environment |= {"PYTHON": sys.executable, "PYTHONPATH": f"{machine}{os.pathsep}{ROOT}"}
    environment |= {"OUT": str(out / "out"), "RUNS": str(out / "runs")}
    command = ["bash", str(ROOT / "benchmarks" / "campaign" / script)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith("At home: ")
    files = [path for path in (out / "out").rglob("*") if path.is_file()]
    assert len(files) <= 8
    assert all(path.stat().st_size <= LIMIT_BYTES for path in files)
    return sorted(str(path.relative_to(out / "out")) for path in files)


def unpack(out: Path, name: str) -> Path:
    """Unpack what came home, as the page says; return the folder of the runs."""
    home = out / "home"
    home.mkdir(exist_ok=True)
    command = f"cat {out}/out/{name}.tar.* | tar -x -C {home}"
    subprocess.run(["bash", "-c", command], check=True)
    return home
