"""How many frames of a recording are held at once, by their size."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.feed.sources import VideoSource
from realtime.frames import TrackedFrame, UnmaskResult
from realtime.video.file import unmask_video
from realtime.video.look_ahead import HeldFrames
from tests.realtime.making_media import StubUnmasker, moving_images, write_video


class CountingUnmasker(StubUnmasker):
    """Notes how many frames are at most between its first and its last stage, and its threads."""

    def __init__(self) -> None:
        super().__init__()
        self.detected = self.most_held = 0
        self.threads: set[threading.Thread] = set()

    def detect_and_track(
        self, frame_bgr: NDArray[np.uint8], time_s: float | None = None, *, smooth: bool = True
    ) -> TrackedFrame:
        self.detected += 1
        self.threads.add(threading.current_thread())
        return super().detect_and_track(frame_bgr, time_s, smooth=smooth)

    def __call__(self, frame_bgr: NDArray[np.uint8]) -> UnmaskResult:
        self.most_held = max(self.most_held, self.detected - self.seen)
        self.threads.add(threading.current_thread())
        return super().__call__(frame_bgr)


@pytest.mark.parametrize(
    ("size", "bytes_a_pixel", "depth", "windows"),
    [
        ((1920, 1080), 4.5, 2, (6, 8)),
        ((2560, 1440), 4.5, 2, (6, 8)),
        ((3840, 2160), 4.5, 1, (2, 3)),
        ((3840, 2160), 6, None, (1, 1)),
        ((7680, 4320), 4.5, None, (0, 0)),
    ],
)
def test_large_frames_are_held_in_smaller_numbers(
    size: tuple[int, int], bytes_a_pixel: float, depth: int | None, windows: tuple[int, int]
) -> None:
    held = HeldFrames.of_size(round(size[0] * size[1] * bytes_a_pixel))
    assert (held.policy and held.policy.depth) == depth
    assert (held.track_window, held.mask_window) == windows


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_video(tmp_path / "in.mp4", moving_images(30))


def test_video_of_large_frames_runs_in_turn(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual, bounded = CountingUnmasker(), CountingUnmasker()
    unmask_video(clip, clip.with_name("1.mp4"), usual)
    monkeypatch.setattr("realtime.video.look_ahead._HELD_BYTES", 1)
    unmask_video(clip, clip.with_name("2.mp4"), bounded)
    assert usual.most_held > 14
    assert len(usual.threads) > 1
    assert bounded.most_held == 1
    assert bounded.threads == {threading.current_thread()}


def test_feed_of_large_frames_holds_few(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime.video.look_ahead._HELD_BYTES", 1)
    unmasker = CountingUnmasker()
    with closing(VideoSource(clip)) as source:
        assert len(list(source.frames(unmasker))) == 30
    assert unmasker.most_held <= 6  # one in each thread and queue
