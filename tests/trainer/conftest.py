"""A small prepared file, made once for the trainer's tests."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from trainer import faceset
from trainer.faceset import FaceSet
from trainer.prepare import prepare


@pytest.fixture(scope="session")
def prepared_file(tmp_path_factory: pytest.TempPathFactory, photo_folder: Path) -> Path:
    """Crops of the moved astronaut; every fourth person is held out."""
    out = tmp_path_factory.mktemp("faces") / "faces.npz"
    manifest = photo_folder / "manifest.csv"
    rows = ["path,source,split,identity"]
    for path in sorted(photo_folder.glob("*/*.jpg")):
        split = "val" if path.parent.name == "Dee_Four" else "train"
        rows.append(f"{path.relative_to(photo_folder)},photos,{split},{path.parent.name}")
    manifest.write_text("\n".join(rows) + "\n")
    prepare([photo_folder], out, manifest=manifest, workers=1)
    return out


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
