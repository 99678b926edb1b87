"""A small prepared file, made once for the trainer's tests."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from trainer.data import face_set as faceset
from trainer.data.face_set import FaceSet


@pytest.fixture(scope="session")
def faces(prepared_file: Path) -> FaceSet:
    """The prepared crops, decoded."""
    return faceset.load([prepared_file])


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Work this small only waits where threads share it, and is exact to the bit on one."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
