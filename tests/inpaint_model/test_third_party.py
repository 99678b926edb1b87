"""A third-party model is found in its folders, and accepted only with its pinned SHA-256."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from inpaint_model.errors import UserError
from inpaint_model.model_files import sha256
from inpaint_model.third_party import (
    FACE_LANDMARKER,
    ThirdPartyModel,
    find_face_landmarker,
    find_third_party,
)

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
