"""The one writer: nothing half or replaced unasked, no more readable than its source, no link followed."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from inpaint_model.errors import UserError
from realtime.media.atomic_file import (
    TargetTakenError,
    atomic_write,
    check_free,
    hidden_path,
    remove_unfinished,
)
from realtime.media.growing_file import GrowingFile


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("disk", ["with links", "without"])
def test_atomic_write_target_that_appears_stays(
    disk: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if disk == "without":

        def refuse(*_: object) -> None:
            raise OSError(errno.EPERM, "no links here")

        monkeypatch.setattr(os, "link", refuse)
    target = tmp_path / "out.png"
    with atomic_write(target, overwrite=False) as temporary:
        temporary.write_text("first")
    for number in (2, 3):
        with (
            pytest.raises(TargetTakenError, match=f"is kept as .*out-{number}.png"),
            atomic_write(target, overwrite=False) as temporary,
        ):
            temporary.write_text(str(number))
    assert [(tmp_path / name).read_text() for name in _names(tmp_path)] == ["2", "3", "first"]
    with atomic_write(target, overwrite=True) as temporary:
        temporary.write_text("new")
    assert target.read_text() == "new"


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="no file is reached by its number")
def test_atomic_write_link_put_in_its_place_is_not_written(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    with atomic_write(tmp_path / "out", overwrite=True) as temporary:
        (hidden,) = tmp_path.glob(".out.*")
        hidden.unlink()
        hidden.symlink_to(victim)
        temporary.write_text("result")
    assert victim.read_text() == "mine"


@pytest.mark.parametrize("planted", ["file", "link"])
def test_atomic_write_file_under_its_hidden_name_is_refused(
    planted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("secrets.token_hex", lambda _: "guessed")
    target, victim = tmp_path / "out", tmp_path / "victim"
    hidden = hidden_path(target, "guessed.part")
    (victim if planted == "link" else hidden).write_text("mine")
    if planted == "link":
        hidden.symlink_to(victim)
    with (
        pytest.raises(UserError, match=r"out: cannot be written \(File exists\)"),
        atomic_write(target, overwrite=True) as temporary,
    ):
        temporary.write_text("result")
    assert hidden.read_text() == "mine"
    assert hidden.is_symlink() == (planted == "link")
    assert not target.exists()


def test_atomic_write_hidden_names_cannot_be_guessed(tmp_path: Path) -> None:
    names = set[str]()
    for _ in range(2):
        with atomic_write(tmp_path / "out", overwrite=True) as temporary:
            names |= {path.name for path in tmp_path.glob(".out.*")}
            temporary.touch()
    assert len(names) == 2
    assert all(len(name.split(".")[-2]) >= 16 for name in names)


@pytest.mark.parametrize(("rights", "expected"), [(0o600, 0o600), (0o640, 0o640), (0o777, 0o644)])
def test_atomic_write_narrows_to_source_and_umask(
    rights: int, expected: int, tmp_path: Path
) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    source.touch()
    source.chmod(rights)
    before = os.umask(0o022)
    try:
        with atomic_write(target, overwrite=False, source=source) as temporary:
            assert temporary.stat().st_mode & 0o777 == expected  # from the first moment
    finally:
        os.umask(before)
    assert target.stat().st_mode & 0o777 == expected


def test_atomic_write_full_disk_names_the_target(tmp_path: Path) -> None:
    with (
        pytest.raises(UserError, match=r"out\.png: cannot be written \(No space left"),
        atomic_write(tmp_path / "out.png", overwrite=False),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert _names(tmp_path) == []


def test_check_free_link_to_nowhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="is a symbolic link"):
        check_free(tmp_path / "link", overwrite=False)
    check_free(tmp_path / "link", overwrite=True)


def test_remove_unfinished_leaves_other_files(tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    hidden_path(target, "0123.part").touch()
    others = [hidden_path(tmp_path / "b.mp4", "0123.part"), hidden_path(target, "unmask")]
    for path in others:
        path.touch()
    remove_unfinished(target)
    assert sorted(tmp_path.iterdir()) == sorted(others)


@pytest.mark.parametrize("mode", ["a", "w"])
def test_growing_file_link_is_refused(mode: str, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / "link").symlink_to(victim)
    (tmp_path / "name").hardlink_to(victim)
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "name", "pipe"):
        with pytest.raises(OSError):
            GrowingFile(tmp_path / name, mode)
    assert victim.read_text() == "mine"
