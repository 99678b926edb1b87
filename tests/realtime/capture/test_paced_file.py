"""A video file that is played as a camera."""

from __future__ import annotations

import gc
from pathlib import Path

import av
import pytest

from realtime.capture.paced_file import PacedFile
from tests.realtime.making_live import FakeClock
from tests.realtime.making_media import moving_images, write_video


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a second at 50 frames a second, two frames shown twice as long."""
    folder = tmp_path_factory.mktemp("capture")
    steps = [512 if n in (3, 7) else 256 for n in range(23)]
    return write_video(folder / "clip.mp4", moving_images(23), steps=steps)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    clock = FakeClock()
    monkeypatch.setattr("realtime.capture.paced_file.time", clock)
    return clock


def read_with_pauses(source: PacedFile, clock: FakeClock, count: int, pause_s: float) -> list[int]:
    """Read frames, sleep after each, and return their indices."""
    indices = []
    while len(indices) < count and (frame := source.read()) is not None:
        indices.append(frame.index)
        clock.sleep(pause_s)
    source.close()
    return indices


def test_paced_file_waits_for_each_timestamp(clip: Path, clock: FakeClock) -> None:
    source = PacedFile(clip)
    frames = [frame for frame in iter(source.read, None) if frame is not None]
    source.close()
    assert [frame.index for frame in frames] == list(range(23))
    due_s = [frame.captured_s - frames[0].captured_s for frame in frames]
    assert due_s[:6] == pytest.approx([0, 0.02, 0.04, 0.06, 0.1, 0.12])
    assert clock.now_s == pytest.approx(frames[-1].captured_s)


def test_paced_file_slow_reader_misses_late_frames(clip: Path, clock: FakeClock) -> None:
    assert read_with_pauses(PacedFile(clip), clock, 23, 0.09) == [0, 4, 8, 12, 16, 21]


def test_paced_file_looped_leaves_no_frame_of_an_earlier_turn(clip: Path):
    def frames() -> int:
        return sum(type(thing) is av.VideoFrame for thing in gc.get_objects())

    gc.collect()
    before = frames()
    gc.disable()  # a frame that is tied to itself stays until the next collection
    try:
        source = PacedFile(clip, fps=1e6, loop=True)
        assert all(source.read() for _ in range(20))
        assert frames() <= before + 3  # of seven turns
    finally:
        gc.enable()
    source.close()


def test_paced_file_too_fast_to_read_still_gives_frames(clip: Path, clock: FakeClock) -> None:
    source = PacedFile(clip, fps=1e6, loop=True)
    assert read_with_pauses(source, clock, 3, 0.01) == [0, 31, 62]


def test_paced_file_loop_counts_on(clip: Path, clock: FakeClock) -> None:
    source = PacedFile(clip, fps=400, loop=True)
    assert read_with_pauses(source, clock, 50, 0.0) == list(range(50))
