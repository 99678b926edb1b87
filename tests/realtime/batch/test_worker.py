"""A worker's files: what is done again, what is refused, and that no file changes another's result."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from inpaint_model.limits import VARIABLE
from realtime.batch.jobs import Job, find_jobs
from realtime.batch.worker import FileWorker, WorkerOptions
from realtime.demo.clip import CameraPath, DemoClip
from tests.realtime.making_media import StubUnmasker, write_video


def test_worker_another_segmenter_does_a_file_again(
    media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = str(media / "a" / "face.png"), str(tmp_path / "face.png")
    worker = FileWorker(WorkerOptions(max_faces=1))
    key = worker.run(Job(source, target)).key
    assert worker.run(Job(source, target, key, True)).status == "skipped"
    (unmasker,) = worker._unmaskers.values()
    other = replace(unmasker.artefacts, segmenter="f" * 64)
    monkeypatch.setattr(unmasker, "artefacts", other)
    assert worker.run(Job(source, target, key, True)).status == "done"
    worker.close()


def test_worker_results_do_not_depend_on_file_order(media: Path, tmp_path: Path) -> None:
    images = list(DemoClip(path=CameraPath(side=256, seconds=0.32, zoom=(1.0, 1.5))).masked_bgr())
    sources = [
        media / "a" / "face.png",
        write_video(tmp_path / "first.mp4", images[:5]),
        write_video(tmp_path / "second.mp4", images[:2:-1]),
    ]
    results = []
    for order in ([0, 1, 2], [2, 1, 0]):  # each file comes after another one
        worker, folder = FileWorker(WorkerOptions(max_faces=1)), tmp_path / str(order)
        for index in order:
            target = folder / sources[index].name
            assert worker.run(Job(str(sources[index]), str(target))).status == "done"
        worker.close()
        results.append([(folder / source.name).read_bytes() for source in sources])
    assert results[0] == results[1]


def test_batch_good_files_are_the_same_beside_hostile_ones(media: Path, tmp_path: Path) -> None:
    face, contents = media / "a" / "face.png", {}
    hostile = [b"", b"\x89PNG\r\n\x1a\n" + bytes(50), face.read_bytes()[:3000], b"%!PS\n{} loop"]
    for kind in ("mixed", "good"):
        source, out = tmp_path / kind, tmp_path / f"{kind}-out"
        source.mkdir()
        for number in range(8):
            if number % 2 and kind == "mixed":
                (source / f"{number}.png").write_bytes(hostile[number // 2])
            elif not number % 2:
                image = np.roll(cv2.imread(str(face)), 5 * number, axis=1)
                cv2.imwrite(str(source / f"{number}.png"), image)
        jobs, worker = find_jobs([str(source)], out), FileWorker(WorkerOptions(max_faces=1))
        statuses = [worker.run(job).status for job in jobs]
        worker.close()
        assert statuses.count("done") == 4
        contents[kind] = {path.name: path.read_bytes() for path in out.iterdir()}
    assert contents["mixed"] == contents["good"]


def test_worker_opens_models_anew_after_an_exception(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Unmasker(StubUnmasker):
        opened = 0

        def __init__(self, *_: object, **__: object) -> None:
            super().__init__(fails_at=0 if Unmasker.opened == 0 else None)
            Unmasker.opened += 1

        def close(self) -> None: ...

    monkeypatch.setattr("realtime.batch.worker.Unmasker", Unmasker)
    source = tmp_path / "in.png"
    cv2.imwrite(str(source), np.zeros((8, 8, 3), np.uint8))
    worker = FileWorker(WorkerOptions())
    jobs = [Job(str(source), str(tmp_path / name)) for name in ("1.png", "2.png", "3.png")]
    outcomes = [worker.run(job) for job in jobs]
    assert [outcome.status for outcome in outcomes] == ["failed", "done", "done"]
    assert outcomes[0].message == f"{source}: RuntimeError: the stub fails here"
    assert Unmasker.opened == 2


def test_worker_pipe_or_device_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "device.mp4").symlink_to("/dev/zero")
    worker = FileWorker(WorkerOptions())
    for name in ("pipe.png", "device.mp4"):
        outcome = worker.run(Job(str(tmp_path / name), str(tmp_path / "out.png")))
        assert (outcome.status, "is not a file" in outcome.message) == ("failed", True)


def test_worker_picture_over_the_limit_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "in.png"
    with source.open("wb") as file:
        file.truncate(12 << 30)
    monkeypatch.setattr("hashlib.file_digest", None)
    outcome = FileWorker(WorkerOptions()).run(Job(str(source), str(tmp_path / "out.png")))
    allowed = f"{VARIABLE}=file_mb=12885 allows it"
    line = f"{source} is too large: 12885 MB, more than 500 ({allowed})"
    assert (outcome.status, outcome.message) == ("failed", line)
