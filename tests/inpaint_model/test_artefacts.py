"""Every network is found and identified; the shipped generators in both precisions."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from inpaint_model.artefacts import (
    SHIPPED_GENERATORS,
    ArtefactHashes,
    find_face_aligner,
    find_generator,
    find_refiner,
    find_segmenter,
)
from inpaint_model.errors import UserError
from inpaint_model.model_files import Artefact


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("name", SHIPPED_GENERATORS)
def test_find_generator_shipped_opens_both_precisions(name: str) -> None:
    generator = find_generator(name)
    full, int8 = generator.open(), generator.open(int8=True)
    assert (full.name, full.precision, int8.precision) == (name, "fp16", "int8")
    assert full.sha256 == generator.sha256 == sha256(full.path.read_bytes())
    assert int8.sha256 == sha256(int8.path.read_bytes()) != full.sha256


def test_find_generator_not_installed_names_the_others(tmp_path: Path) -> None:
    (tmp_path / "fast.onnx").write_bytes(b"a network")
    with pytest.raises(UserError, match="'paper' are not in this installation: take fast"):
        find_generator("paper", tmp_path)


def test_find_segmenter_hashes_the_shipped_file() -> None:
    segmenter = find_segmenter()
    assert segmenter.name == "segmenter"
    assert segmenter.sha256 == sha256(segmenter.path.read_bytes())


def test_find_segmenter_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="weights are missing"):
        find_segmenter(tmp_path / "none.tflite")


@pytest.mark.parametrize(
    ("find", "name"), [(find_face_aligner, "face_aligner"), (find_refiner, "refiner")]
)
def test_shipped_networks_are_hashed(find: Callable[[], Artefact], name: str) -> None:
    network = find()
    assert network.name == name
    assert network.sha256 == sha256(network.path.read_bytes())


def test_artefact_hashes_are_named_in_json() -> None:
    names = ("generator", "segmenter", "face_landmarker", "face_aligner", "refiner")
    assert list(ArtefactHashes(*names).as_dict().items()) == [(name, name) for name in names]
