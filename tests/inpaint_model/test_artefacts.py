"""Every network is found and identified; a third-party one is accepted only with its pinned hash."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from inpaint_model.artefacts import (
    FACE_LANDMARKER,
    SHIPPED_GENERATORS,
    ArtefactHashes,
    ThirdPartyModel,
    find_face_aligner,
    find_face_landmarker,
    find_generator,
    find_segmenter,
    find_third_party,
)
from inpaint_model.errors import UserError

CONTENT = b"a model"


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ThirdPartyModel:
    """A model that is in the user's cache alone."""
    monkeypatch.setenv("UNMASK_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("UNMASK_MODELS_DIR", raising=False)
    (tmp_path / "cache" / "models").mkdir(parents=True)
    (tmp_path / "cache" / "models" / "a.task").write_bytes(CONTENT)
    return ThirdPartyModel(
        "a.task", sha256(CONTENT), "https://host/a.task", ("no_package", "a.task")
    )


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


def test_find_face_aligner_hashes_the_shipped_file() -> None:
    aligner = find_face_aligner()
    assert aligner.name == "face_aligner"
    assert aligner.sha256 == sha256(aligner.path.read_bytes())


def test_artefact_hashes_are_named_in_json() -> None:
    names = ("generator", "segmenter", "face_landmarker", "face_aligner")
    assert list(ArtefactHashes(*names).as_dict().items()) == [(name, name) for name in names]


def test_find_face_landmarker_installed_leaves_no_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("UNMASK_CACHE_DIR", str(tmp_path))
    monkeypatch.delenv("UNMASK_MODELS_DIR", raising=False)
    found = find_face_landmarker()
    assert (found.name, found.sha256) == ("face_landmarker", FACE_LANDMARKER.sha256)
    assert list(tmp_path.iterdir()) == []


def test_find_third_party_in_the_cache_is_found(model: ThirdPartyModel, tmp_path: Path) -> None:
    found = find_third_party(model)
    assert found.path == tmp_path / "cache" / "models" / "a.task"
    assert found.sha256 == sha256(CONTENT)


def test_find_third_party_nowhere_says_what_to_do(model: ThirdPartyModel) -> None:
    with pytest.raises(UserError, match=r"nowhere on this machine: reinstall.*--models-dir"):
        find_third_party(replace(model, name="b.task"))


def test_models_dir_is_searched_first(
    model: ThirdPartyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_third_party(model)
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "a.task").write_bytes(CONTENT)
    assert find_third_party(model, folder).path.parent == folder
    monkeypatch.setenv("UNMASK_MODELS_DIR", str(folder))
    assert find_third_party(model).path.parent == folder


def test_models_dir_with_another_file_names_it(tmp_path: Path) -> None:
    wrong = tmp_path / FACE_LANDMARKER.name
    wrong.write_bytes(b"not it")
    with pytest.raises(UserError, match=str(wrong)):
        find_face_landmarker(tmp_path)


def test_models_dir_that_is_absent_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        find_face_landmarker(tmp_path / "absent")
