"""How many frames of a recording are held at once, by their size."""

from __future__ import annotations

import pytest

from realtime.video.look_ahead import HeldFrames


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
