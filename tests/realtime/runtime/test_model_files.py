"""Third-party models: where they are looked for, and that only the pinned content is taken."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from inpaint_model.errors import UserError
from realtime.runtime.model_files import FACE_LANDMARKER, ModelFile, face_landmarker_path, resolve

CONTENT = b"a model"


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelFile:
    """A model whose official address is a file, with a cache of its own."""
    monkeypatch.setenv("UNMASK_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("UNMASK_MODELS_DIR", raising=False)
    official = tmp_path / "official"
    official.write_bytes(CONTENT)
    digest = hashlib.sha256(CONTENT).hexdigest()
    return ModelFile("a.task", digest, official.as_uri(), ("no_such_package", "a.task"))


def test_the_installed_package_serves_without_a_download(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("UNMASK_CACHE_DIR", str(tmp_path))
    monkeypatch.delenv("UNMASK_MODELS_DIR", raising=False)
    assert face_landmarker_path().name == "face_landmarker.task"
    assert list(tmp_path.iterdir()) == []


def test_a_download_is_kept_in_the_cache(model: ModelFile, tmp_path: Path) -> None:
    path = resolve(model)
    assert path == tmp_path / "cache" / "models" / "a.task"
    assert path.read_bytes() == CONTENT
    (tmp_path / "official").unlink()
    assert resolve(model) == path


def test_a_wrong_download_is_refused_and_not_kept(model: ModelFile, tmp_path: Path) -> None:
    (tmp_path / "official").write_bytes(b"another model")
    with pytest.raises(UserError, match=r"not the official a\.task"):
        resolve(model)
    assert list((tmp_path / "cache" / "models").iterdir()) == []


def test_a_download_that_fails_says_what_to_do(model: ModelFile, tmp_path: Path) -> None:
    (tmp_path / "official").unlink()
    with pytest.raises(UserError, match=r"could not be downloaded.*--models-dir"):
        resolve(model)


def test_the_folder_comes_first(
    model: ModelFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve(model)
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "a.task").write_bytes(CONTENT)
    assert resolve(model, folder).parent == folder
    monkeypatch.setenv("UNMASK_MODELS_DIR", str(folder))
    assert resolve(model).parent == folder


def test_a_wrong_copy_is_named(tmp_path: Path) -> None:
    wrong = tmp_path / FACE_LANDMARKER.name
    wrong.write_bytes(b"not it")
    with pytest.raises(UserError, match=str(wrong)):
        face_landmarker_path(tmp_path)


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        face_landmarker_path(tmp_path / "absent")
