"""The programs in docs/examples do what they say, and are short."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from realtime.cli.app import run
from tests.realtime.feed.delivery.making_receivers import free_port, running_broker
from tests.realtime.making_feed import FRAMES, write_masked_clip, write_pictures
from tests.realtime.making_recognisers import write_recogniser

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "docs" / "examples"
MOST_LINES = 30


def start(name: str, *words: object, folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, str(EXAMPLES / name), *map(str, words)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def output(name: str, *words: object, folder: Path) -> list[str]:
    with start(name, *words, folder=folder) as example:
        shown, _ = example.communicate(timeout=60)
    assert example.returncode == 0
    return shown.splitlines()


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_example_has_at_most_30_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MOST_LINES


def test_names_finds_a_known_person_under_a_mask(tmp_path: Path) -> None:
    for module in ("dlib", "face_recognition_models"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed: extra `recognition`")
    clip = write_masked_clip(tmp_path)
    person = tmp_path / "people" / "Eileen"
    person.mkdir(parents=True)
    (tmp_path / "pictures").mkdir()
    shutil.copy(write_pictures(tmp_path / "pictures") / "2_bare.png", person)
    (line,) = output("names.py", "people", clip, folder=tmp_path)
    assert re.search(r"track 0: Eileen \(0\.\d\d, the lower face is invented\)", line)


def test_vectors_ranks_the_tracks_of_a_video(tmp_path: Path) -> None:
    clip = write_masked_clip(tmp_path)
    (tmp_path / "pictures").mkdir()
    photograph = write_pictures(tmp_path / "pictures") / "2_bare.png"
    recogniser = write_recogniser(tmp_path / "recogniser.onnx")
    (line,) = output("vectors.py", recogniser, photograph, clip, folder=tmp_path)
    match = re.fullmatch(r"track 0: (-?\d\.\d{3})", line)
    assert match is not None
    assert -1 <= float(match[1]) <= 1


def test_subscriber_prints_what_the_feed_sends(tmp_path: Path) -> None:
    clip, port = write_masked_clip(tmp_path), free_port()
    with (
        running_broker("amqtt", tmp_path, port),
        start("subscriber.py", f"127.0.0.1:{port}", "hall", folder=tmp_path) as example,
    ):
        assert example.stdout is not None
        assert example.stdout.readline() == "listening to hall/face\n"
        assert run(["feed", str(clip), "--out", f"mqtt://127.0.0.1:{port}/hall"]) == 0
        lines = [example.stdout.readline() for _ in range(FRAMES)]
        example.terminate()
    assert all(re.search(r"s, track 0: invented below the eyes", line) for line in lines)
