"""`unmask batch`: trees, what is done already, crashes, and a real Ray of two workers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
import pytest

from inpaint_model.limits import VARIABLE
from realtime.batch.jobs import Job, Outcome, find_jobs
from realtime.batch.local import run_local
from realtime.batch.worker import FileWorker, WorkerOptions
from realtime.cli.app import run
from realtime.demo.clip import CameraPath, DemoClip
from tests.realtime.making_media import StubUnmasker, write_video


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


def test_batch_mirrors_a_tree_and_skips_done_files(media: Path, tmp_path: Path) -> None:
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
    images = list(DemoClip(path=CameraPath(side=256, seconds=0.9, zoom=(1.0, 1.5))).masked_bgr())
    sources = [
        media / "a" / "face.png",
        write_video(tmp_path / "first.mp4", images[:13]),
        write_video(tmp_path / "second.mp4", images[:4:-1]),
    ]
    results = []
    for order in ([0, 1, 2], [2, 1, 0], [1, 0, 2]):
        worker, folder = FileWorker(WorkerOptions(max_faces=1)), tmp_path / str(order)
        for index in order:
            target = folder / sources[index].name
            assert worker.run(Job(str(sources[index]), str(target))).status == "done"
        worker.close()
        results.append([(folder / source.name).read_bytes() for source in sources])
    assert results[0] == results[1] == results[2]


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


def _kill_first(match: str, killed: list[int]) -> None:
    """Kill one process of ours by number, once it has begun to work."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not killed:
        for process in psutil.process_iter(["pid", "cmdline"]):
            line = " ".join(process.info["cmdline"] or [])
            if match in line:
                os.kill(process.info["pid"], signal.SIGKILL)
                killed.append(process.info["pid"])
                return
        time.sleep(0.1)


def test_batch_killed_worker_fails_only_its_file(media: Path, tmp_path: Path) -> None:
    jobs = [
        Job(str(media / "a" / "face.png"), str(tmp_path / f"{n}.png")) for n in range(3)
    ]  # fmt: skip
    outcomes = run_local(jobs, WorkerOptions(max_faces=1), workers=1)
    first = next(outcomes)
    children = psutil.Process().children(recursive=True)
    for child in children:
        if "spawn_main" in " ".join(child.cmdline()):
            child.kill()
    rest = list(outcomes)
    statuses = [first.status, *(outcome.status for outcome in rest)]
    assert statuses.count("done") == 2
    assert any("the worker died (signal 9)" in outcome.message for outcome in rest)


def test_batch_worker_ends_with_a_killed_parent(media: Path, tmp_path: Path) -> None:
    long = write_video(tmp_path / "long.mp4", [np.zeros((360, 640, 3), np.uint8)] * 1000)
    out = tmp_path / "out"
    command = [sys.executable, "-m", "realtime", "batch", str(long), "--out", str(out)]
    parent = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 240
    while not list(out.glob(".long.mp4*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    workers = psutil.Process(parent.pid).children(recursive=True)
    parent.kill()
    parent.wait()
    _, alive = psutil.wait_procs(workers, timeout=60)
    assert workers and not alive


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


def test_batch_without_a_record_goes_on_and_says_so(
    media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run_here(jobs: list[Job], options: WorkerOptions, _workers: int) -> Iterator[Outcome]:
        return map(FileWorker(options).run, jobs)

    monkeypatch.setattr("realtime.batch.local.run_local", run_here)
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


_READ_KEYS = """
import sys
from ray._raylet import GcsClient
print(GcsClient(address=sys.argv[1]).internal_kv_keys(b"", None))
"""


def _ask_cluster_without_token(ray: Any, home: Path, refusals: list[str]) -> None:
    """Read from the cluster of this process as another user of the machine could, once it runs."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not ray.is_initialized():
        time.sleep(0.1)
    environment = {**os.environ, "HOME": str(home), "RAY_AUTH_MODE": "disabled"}
    command = [sys.executable, "-c", _READ_KEYS, ray.get_runtime_context().gcs_address]
    asked = subprocess.run(command, env=environment, capture_output=True, text=True)
    refusals.append(asked.stderr if asked.returncode else "")


def test_ray_killed_worker_every_file_is_done_once(
    media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray = pytest.importorskip("ray", reason="the extra `cluster` is not installed")
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    out.mkdir()
    face, film = media / "a" / "face.png", media / "a" / "b" / "film.mp4"
    for number, path in enumerate((face, film, film, film)):
        (source / f"{number}{path.suffix}").write_bytes(path.read_bytes())
    (tmp_path / "av.py").write_text("raise SystemExit(77)")  # the workers must not import it
    monkeypatch.chdir(tmp_path)
    killed: list[int] = []
    killer = threading.Thread(target=_kill_first, args=("ray::RayFileWorker.run", killed))
    refusals: list[str] = []
    stranger = threading.Thread(
        target=_ask_cluster_without_token, args=(ray, tmp_path / "stranger", refusals)
    )
    killer.start()
    stranger.start()
    command = ["batch", str(source), "--out", str(out), "--ray", "local", "--workers", "2"]
    status = run([*command, "--report", str(out / "r.json"), "--max-faces", "1"])
    killer.join()
    stranger.join()
    assert killed
    assert "token" in refusals[0].lower()
    assert status == 0, (out / "r.json").read_text()
    assert _counts(out) == {"files": 4, "done": 4, "skipped": 0, "no_face": 0, "failed": 0}
    assert len([p for p in out.iterdir() if p.suffix in (".png", ".mp4")]) == 4
    assert not list(out.glob(".*unmask*.tmp"))
