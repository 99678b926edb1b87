"""Reading packets: a transport stream may begin further streams in its middle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.capture.paced_file import PacedFile
from realtime.media.container import open_container
from realtime.media.reader import VideoReader
from tests.realtime.making_media import write_video

_PARTS = ((24, 0.0), (4, 0.2), (6, 0.0))  # frames, and seconds of sound


def _noise(frames: int) -> Iterator[NDArray[np.uint8]]:
    """Pictures of noise: only so large a part is not looked through when a file is opened."""
    rng = np.random.default_rng(frames)
    return (rng.integers(0, 255, (720, 960, 3), dtype=np.uint8) for _ in range(frames))


@pytest.fixture(scope="module")
def late_sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording in which sound begins after the part that is looked through when it is opened."""
    folder = tmp_path_factory.mktemp("late")
    path = folder / "late.ts"
    with path.open("wb") as file:
        for frames, sound_s in _PARTS:
            part = write_video(folder / "part.ts", _noise(frames), sound_s=sound_s, quick=True)
            file.write(part.read_bytes())
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
