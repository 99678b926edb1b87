"""Small prepared faces, made once for the trainer's tests."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import lightning.fabric  # noqa: F401 - its log keeps the standard error that it finds
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from trainer.data import face_set as faceset
from trainer.data.face_set import FaceSet


@pytest.fixture(scope="session")
def faces(prepared_file: Path) -> FaceSet:
    """The prepared crops, decoded."""
    return faceset.load([prepared_file])


@pytest.fixture(scope="session")
def wide_faces(request: pytest.FixtureRequest, astronaut_rgb: NDArray[np.uint8]) -> FaceSet:
    """The faces of `wide_file`, decoded.

    A GPU's machine may lack OpenVINO: there they are one photograph with the landmarks of the mean head.
    """
    if importlib.util.find_spec("openvino") is not None:
        return faceset.load([request.getfixturevalue("wide_file")])
    from trainer.throughput import synthetic_faces

    crops = np.stack([np.roll(astronaut_rgb[:224, 112:336], shift, 1) for shift in range(6)])
    return replace(synthetic_faces(6), crops=crops, valid=np.ones(crops.shape[:3], bool))


@pytest.fixture(scope="session")
def fine_file(
    tmp_path_factory: pytest.TempPathFactory, photo_folder: Path, wide_file: Path
) -> Path:
    """The photographs of `wide_file` prepared at twice the crop's resolution, without a margin."""
    from trainer.data.prepare import prepare

    assert wide_file.is_file()  # its manifest splits these faces alike
    out = tmp_path_factory.mktemp("fine") / "faces.npz"
    prepare([photo_folder], out, manifest=photo_folder / "wide.csv", workers=1, scale=2)
    return out


@pytest.fixture(scope="session")
def fine_faces(fine_file: Path) -> FaceSet:
    """The faces of `fine_file`, decoded."""
    return faceset.load([fine_file], 2)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Use one thread: small work is faster, and exact to the bit."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
