"""`unmask feed` as a user runs it: lines, crops, report, receivers, and errors of one line."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime.cli.app import run
from realtime.demo.clip import CameraPath, DemoClip
from tests.reading_documents import read_tables
from tests.realtime.feed.delivery.making_receivers import HttpServer, free_port, wait_for
from tests.realtime.making_feed import FRAMES, Check
from tests.realtime.making_live import network_camera
from tests.realtime.making_media import write_video
from tests.realtime.making_recognisers import write_recogniser

ROOT = Path(__file__).parents[3]


def test_feed_writes_a_valid_line_a_face_and_its_crops(
    masked_clip: Path, tmp_path: Path, check_line: Check
) -> None:
    out, report = tmp_path / "faces.jsonl", tmp_path / "report.json"
    words = ["feed", str(masked_clip), "--out", str(out), "--crops", str(tmp_path / "crops")]
    assert run([*words, "--inline", "--report", str(report)]) == 0
    lines = [check_line(line) for line in out.read_text().splitlines()]
    assert [line["frame_index"] for line in lines] == list(range(FRAMES))
    for line in lines:
        for crop in (line["crop"], line["crop_before"]):
            assert cv2.imread(str(crop)).shape == (112, 112, 3)
        assert line["crop_png"]
        assert line["embedding"] is None
    figures = json.loads(report.read_text())
    page = dict(read_tables(ROOT / "docs" / "api.md"))
    keys = [row[0].strip("`") for row in page["key of a feed report"]]
    assert list(figures)[-len(keys) :] == keys
    assert (figures["lines"], figures["frames"]) == (FRAMES, FRAMES)
    assert (figures["dropped_lines"], figures["undelivered_lines"]) == (0, 0)


def test_feed_of_a_private_source_is_private(picture_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir(0o700)
    for name in ("1_masked.png", "2_bare.png"):
        shutil.copyfile(picture_folder / name, folder / name)
        (folder / name).chmod(0o600)
    out = tmp_path / "out"
    out.mkdir()
    words = ["feed", str(folder), "--out", str(out / "faces.jsonl")]
    words += ["--crops", str(out / "crops"), "--report", str(out / "report.json")]
    assert run(words) == 0
    written = [path for path in out.rglob("*") if path.is_file()]
    assert {path.suffix for path in written} == {".json", ".jsonl", ".png"}
    assert {path.stat().st_mode & 0o777 for path in written} == {0o600}


def test_feed_with_a_recogniser_embeds_both_crops(
    masked_clip: Path, tmp_path: Path, check_line: Check
) -> None:
    recogniser, out = write_recogniser(tmp_path / "recogniser.onnx"), tmp_path / "faces.jsonl"
    words = ["feed", str(masked_clip), "--out", str(out), "--every", "0.2"]
    assert run([*words, "--embedder", str(recogniser)]) == 0
    lines = [check_line(line) for line in out.read_text().splitlines()]
    assert [line["pts_s"] for line in lines] == [0.0, 0.2, 0.4]
    for line in lines:
        kinds = [line[name] for name in ("embedding", "embedding_before", "embedding_periocular")]
        assert all(np.isclose(np.linalg.norm(np.array(kind)), 1, atol=1e-4) for kind in kinds)
        assert kinds[0] != kinds[1] != kinds[2]
        assert line["embedder_sha256"] == hashlib.sha256(recogniser.read_bytes()).hexdigest()


def test_feed_prints_lines_on_standard_output(
    picture_folder: Path, capsys: pytest.CaptureFixture[str], check_line: Check
) -> None:
    assert run(["feed", str(picture_folder)]) == 1  # a picture of the folder is broken
    shown = capsys.readouterr()
    lines = [check_line(line) for line in shown.out.splitlines()]
    assert [Path(str(line["source"])).name for line in lines] == ["1_masked.png", "2_bare.png"]
    assert "3_broken.png" in shown.err


def test_feed_that_is_killed_goes_on_without_loss(tmp_path: Path) -> None:
    clip = DemoClip(path=CameraPath(side=192, seconds=4, zoom=(0.8, 0.9)))
    source = write_video(tmp_path / "in.mp4", clip.masked_bgr())
    server = HttpServer()
    words = ["feed", str(source), "--out", f"http://127.0.0.1:{server.port}/faces"]
    command = [sys.executable, "-c", "from realtime.cli.app import main; main()", *words]
    kept = os.environ | {"UNMASK_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": str(ROOT)}
    try:
        first = subprocess.Popen(command, env=kept, stderr=subprocess.DEVNULL)
        wait_for(lambda: len(server.received) > 3)
        first.send_signal(signal.SIGKILL)
        first.wait()
        killed_at = len(server.received)
        assert killed_at < clip.path.frames  # it was killed before the end
        subprocess.run(command, env=kept, check=True, stderr=subprocess.DEVNULL, timeout=60)
        keys = [json.loads(line)["key"] for line in server.received]
    finally:
        server.close()
    assert list(dict.fromkeys(keys)) == sorted(set(keys), key=lambda key: int(key.split("-")[1]))
    assert len(set(keys)) == clip.path.frames


def test_feed_of_a_reader_that_goes_ends_quietly(masked_clip: Path, tmp_path: Path) -> None:
    code = "from realtime.cli.app import main; main()"
    command = [sys.executable, "-c", code, "feed", str(masked_clip)]
    errors = tmp_path / "errors.txt"
    with errors.open("w") as file:
        feed = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=file, cwd=ROOT)
        assert feed.stdout is not None
        feed.stdout.readline()
        feed.stdout.close()
        assert feed.wait(60) == 0
    assert "error" not in errors.read_text().lower()
    assert "Traceback" not in errors.read_text()


def test_live_feed_stops_in_time_while_its_receiver_is_away(
    masked_clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with network_camera() as camera:
        began_s = time.monotonic()
        words = ["feed", camera.url, "--seconds", "0.5", "--out"]
        assert run([*words, f"tcp://127.0.0.1:{free_port()}"]) == 0  # no face: nothing is lost
        assert time.monotonic() - began_s < 30
    assert "0 lines" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["missing.mp4"], "missing.mp4"),
        (["in.mp4", "--out", "ftp://host/faces"], "ftp"),
        (["in.mp4", "--out", "tcp://host"], "port"),
        (["in.mp4", "--out", "in.mp4", "--overwrite"], "the output is the input"),
        (["in.mp4", "--out", "there.jsonl"], "--overwrite"),
        (["in.mp4", "--out", "missing/faces.jsonl"], "missing"),
        (["in.mp4", "--embedder", "missing.onnx"], "missing.onnx"),
        (["in.mp4", "--crops", "there.jsonl"], "there.jsonl"),
        (["in.mp4", "--every", "-1"], "every"),
        (["in.mp4", "--min-size", "-1"], "min-size"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(
    words: list[str],
    message: str,
    masked_clip: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in.mp4").write_bytes(masked_clip.read_bytes())
    Path("there.jsonl").write_text('{"schema_version": 1}\n')
    assert run(["feed", *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert Path("in.mp4").read_bytes() == masked_clip.read_bytes()
    assert Path("there.jsonl").read_text() == '{"schema_version": 1}\n'
