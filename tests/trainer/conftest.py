"""Small prepared faces, made once for the trainer's tests."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from trainer.data import face_set as faceset
from trainer.data.face_set import FaceSet
from trainer.data.prepare import prepare


@pytest.fixture(scope="session")
def faces(prepared_file: Path) -> FaceSet:
    """The prepared crops, decoded."""
    return faceset.load([prepared_file])


@pytest.fixture(scope="session")
def wide_file(tmp_path_factory: pytest.TempPathFactory, photo_folder: Path) -> Path:
    """The same photographs prepared with a margin of 48 pixels."""
    out = tmp_path_factory.mktemp("wide") / "faces.npz"
    prepare([photo_folder], out, workers=1, margin_px=48)
    return out


@pytest.fixture(scope="session")
def wide_faces(wide_file: Path) -> FaceSet:
    """The faces of `wide_file`, decoded."""
    return faceset.load([wide_file])


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Use one thread: small work is faster, and exact to the bit."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
