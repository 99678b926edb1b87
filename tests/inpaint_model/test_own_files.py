"""What others could have put at a path that they can guess is not read, written or followed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from inpaint_model.own_files import ForeignFileError, claim_file, make_own_folder, read_own
from tests.inpaint_model.giving_away import give_away


def test_make_own_folder_is_closed_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        make_own_folder(tmp_path / "a" / "b")
    finally:
        os.umask(before)
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("a", "a/b")] == [0o700] * 2
    (tmp_path / "a" / "b").chmod(0o777)
    make_own_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700


def test_make_own_folder_of_others_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, link = tmp_path / "folder", tmp_path / "link"
    folder.mkdir()
    link.symlink_to(folder)
    with pytest.raises(ForeignFileError):
        make_own_folder(link)
    give_away(folder, monkeypatch)
    with pytest.raises(ForeignFileError):
        make_own_folder(folder)


@pytest.mark.parametrize("kind", ["link", "second name", "pipe", "open to others", "others"])
def test_claim_file_of_others_is_refused(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim, path = tmp_path / "victim", tmp_path / "path"
    victim.write_text("mine")
    if kind == "link":
        path.symlink_to(victim)
    elif kind == "second name":
        path.hardlink_to(victim)
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.write_text("planted")
        path.chmod(0o666 if kind == "open to others" else 0o644)
    if kind == "others":
        give_away(path, monkeypatch)
    for function in (claim_file, read_own):
        with pytest.raises(ForeignFileError):
            function(path)
    assert victim.read_text() == "mine"


def test_claim_file_is_made_or_accepted(tmp_path: Path) -> None:
    path = tmp_path / "path"
    claim_file(path)
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_bytes(b"mine")
    claim_file(path)
    assert read_own(path) == b"mine"
