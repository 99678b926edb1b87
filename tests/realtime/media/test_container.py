"""Reading packets: a transport stream may begin further streams in its middle."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from realtime.capture.paced_file import PacedFile
from realtime.media.container import open_container
from realtime.media.reader import VideoReader

_PARTS = ((24, False), (4, True), (6, False))  # frames, and whether sound goes with them


def _write_part(path: Path, first: int, frames: int, *, sound: bool) -> bytes:
    """Write a transport stream of noise: only so large a part is not looked through when it is opened."""
    rng = np.random.default_rng(first)
    with av.open(str(path), "w", format="mpegts") as out:
        options = {"preset": "ultrafast", "qp": "16"}
        video = out.add_stream("libx264", rate=10, options=options)
        video.width, video.height, video.pix_fmt = 640, 480, "yuv420p"
        audio = out.add_stream("aac", rate=44_100) if sound else None
        for index in range(first, first + frames):
            noise = rng.integers(0, 255, (480, 640, 3), dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(noise, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 10)
            out.mux(video.encode(frame))
            if audio is not None:
                silence = np.zeros((1, 4410), np.float32)
                quiet = av.AudioFrame.from_ndarray(silence, format="flt", layout="mono")
                quiet.rate, quiet.pts, quiet.time_base = 44_100, index * 4410, Fraction(1, 44_100)
                out.mux(audio.encode(quiet))
        out.mux(video.encode(None))
        if audio is not None:
            out.mux(audio.encode(None))
    return path.read_bytes()


@pytest.fixture(scope="module")
def late_sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording in which sound begins after the part that is looked through when it is opened."""
    folder = tmp_path_factory.mktemp("late")
    path, first = folder / "late.ts", 0
    with path.open("wb") as file:
        for frames, sound in _PARTS:
            file.write(_write_part(folder / "part.ts", first, frames, sound=sound))
            first += frames
    with open_container(path) as container:
        assert len(container.streams) == 1
    return path


def test_reader_leaves_streams_out_that_begin_later(late_sound: Path) -> None:
    with VideoReader(late_sound) as reader:
        assert sum(1 for _ in reader) == sum(frames for frames, _ in _PARTS)


def test_paced_file_leaves_streams_out_that_begin_later(late_sound: Path) -> None:
    source = PacedFile(late_sound, fps=1000.0)  # late frames are skipped
    last = 0
    while (frame := source.read()) is not None:
        last = frame.index
    source.close()
    assert last >= _PARTS[0][0]
