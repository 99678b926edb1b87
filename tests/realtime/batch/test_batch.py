"""`unmask batch`: trees, what is done already, links, and a record that cannot be written."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime.batch.jobs import Job, Outcome
from realtime.batch.worker import FileWorker, WorkerOptions
from realtime.cli.app import run
from tests.realtime.making_media import StubUnmasker


def _copied(media: Path, folder: Path) -> Path:
    for path in media.rglob("*"):
        if path.is_file():
            target = folder / path.relative_to(media)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    return folder


def _counts(out: Path) -> dict[str, int]:
    figures = json.loads((out / "r.json").read_text())
    return {name: figures[name] for name in ("files", "done", "skipped", "no_face", "failed")}


def _run_here(jobs: list[Job], options: WorkerOptions, _workers: int) -> Iterator[Outcome]:
    return map(FileWorker(options).run, jobs)


def test_batch_mirrors_a_tree_and_skips_done_files(
    media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, out = _copied(media, tmp_path / "in"), tmp_path / "out"
    (source / "broken.jpg").unlink()
    face, film = source / "a" / "face.png", source / "a" / "b" / "film.mp4"
    (source / "a" / "other.png").write_bytes(face.read_bytes())
    out.mkdir()
    command = ["batch", str(source), "--out", str(out), "--report", str(out / "r.json")]
    assert run(command) == 0
    assert _counts(out) == {"files": 4, "done": 3, "skipped": 0, "no_face": 1, "failed": 0}
    assert json.loads((out / "r.json").read_text())["left_out"] == [str(source / "notes.txt")]
    written = {
        path.relative_to(out) for path in out.rglob("*.*") if path.suffix in (".png", ".mp4")
    }
    assert written == {
        Path("room.png"),
        Path("a", "face.png"),
        Path("a", "other.png"),
        Path("a", "b", "film.mp4"),
    }
    assert (out / "room.png").read_bytes() == (source / "room.png").read_bytes()
    stamp, first = (out / "a" / "b" / "film.mp4").stat(), (out / "a" / "face.png").read_bytes()

    monkeypatch.setattr("realtime.batch.local.run_local", _run_here)
    os.utime(film)  # the time says nothing: the content counts
    cv2.imwrite(str(face), np.ascontiguousarray(cv2.imread(str(face))[:, ::-1]))
    (out / "a" / "other.png").write_bytes(b"mine")
    room = ["batch", str(source / "room.png"), "--out", str(out)]
    assert (run(room), run([*room, "--strict"])) == (0, 1)  # also where it is skipped
    (source / "broken.jpg").write_bytes((media / "broken.jpg").read_bytes())
    assert run(command) == 1  # one file is broken, one result is not the batch's own
    assert _counts(out) == {"files": 5, "done": 1, "skipped": 2, "no_face": 0, "failed": 2}
    assert (out / "a" / "b" / "film.mp4").stat().st_mtime_ns == stamp.st_mtime_ns
    assert (out / "a" / "face.png").read_bytes() != first  # done again, over what the batch wrote
    assert (out / "a" / "other.png").read_bytes() == b"mine"  # a file of the user's is not replaced


def test_batch_of_links_alone_without_following_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (tmp_path / "x.png").touch()
    (folder / "link.png").symlink_to(tmp_path / "x.png")
    command = ["batch", str(folder), "--out", str(tmp_path / "out"), "--no-follow"]
    assert run(command) == 2
    assert "the inputs contain no picture or video" in capsys.readouterr().err


def test_batch_without_a_record_goes_on_and_says_so(
    media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("realtime.batch.local.run_local", _run_here)
    monkeypatch.setattr("realtime.batch.worker.Unmasker", lambda *_, **__: StubUnmasker())
    source, out, victim = tmp_path / "in", tmp_path / "out", tmp_path / "victim"
    for folder in (source, out):
        folder.mkdir()
    for name in ("1.png", "2.png"):
        (source / name).write_bytes((media / "room.png").read_bytes())
    (source / "notes.txt").write_text("left alone")
    victim.write_text("mine")
    (out / ".unmask-batch.jsonl").symlink_to(victim)
    assert run(["batch", str(source), "--out", str(out)]) == 0
    error = capsys.readouterr().err
    assert ".unmask-batch.jsonl: cannot be written" in error
    assert "2 results are not noted down" in error
    assert f"{out}: 2 done" in error
    assert error.endswith("left out, no picture or video: 1 files: notes.txt\n")
    assert victim.read_text() == "mine"
