"""A recording comes out the same however often, on however many cores and by whichever command."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from realtime.demo.clip import CameraPath, DemoClip
from realtime.demo.run import run_demo
from realtime.media.reader import VideoReader
from realtime.unmasker import Unmasker
from realtime.video.file import VideoOptions, unmask_video

CLIP = CameraPath(side=256, seconds=0.8, zoom=(0.85, 1.05), sway=(22.0, 8.0))


def frames_of(path: Path) -> str:
    """The hash of all decoded frames and their timestamps."""
    digest = hashlib.sha256()
    with VideoReader(path) as file:
        for frame in file:
            digest.update(frame.image_bgr.tobytes() + str(frame.pts).encode())
    return digest.hexdigest()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `unmask demo` leaves behind: the masked clip and the unmasked one."""
    out = tmp_path_factory.mktemp("demo")
    with Unmasker(max_faces=1) as unmasker:
        run_demo(out, unmasker, clip=DemoClip(path=CLIP))
    return out


def unmasked(source: Path, target: Path, *, cores: set[int] | None = None) -> str:
    """Run `unmask video` in a process of its own, on these cores; return the hash of its frames."""
    pin = f"import os; os.sched_setaffinity(0, {cores!r}); " if cores else ""
    program = f"{pin}from realtime.cli.app import main; main()"
    command = [sys.executable, "-c", program, "video", str(source), str(target), "--max-faces", "1"]
    subprocess.run(command, check=True, capture_output=True)
    return frames_of(target)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only Linux pins processes")
def test_video_on_one_or_two_cores_equals_the_demo(demo: Path, tmp_path: Path) -> None:
    """Three runs of two commands, one of them on a single core."""
    cores = sorted(os.sched_getaffinity(0))[:2]
    if len(cores) < 2:
        pytest.skip("there is one core alone")
    for number in (1, 2):
        target = tmp_path / f"{number}.mp4"
        frames = unmasked(demo / "masked.mp4", target, cores=set(cores[:number]))
        assert frames == frames_of(demo / "unmasked.mp4")


def test_video_after_another_gives_the_same_frames(demo: Path, tmp_path: Path) -> None:
    """The result of a file does not depend on the files that the same unmasker did before."""
    options = VideoOptions(overwrite=True)
    with Unmasker(max_faces=1) as unmasker:
        hashes = []
        for number in range(2):
            target = tmp_path / f"{number}.mp4"
            unmask_video(demo / "masked.mp4", target, unmasker, options)
            hashes.append(frames_of(target))
    assert hashes[0] == hashes[1] == frames_of(demo / "unmasked.mp4")
