"""Videos are looked at, changed and written as players display them: turned, mirrored, or both."""

from __future__ import annotations

import gc
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.media.codecs import Encoding
from realtime.media.colour import FAST, ToBgr
from realtime.media.orientation import Orientation, display_matrix
from realtime.media.reader import VideoReader
from realtime.video.file import VideoOptions, unmask_video
from tests.realtime.making_media import StubUnmasker
from tests.realtime.making_sources import Kind, make

ALL = [(rotation, mirrored) for rotation in (0, 90, 180, 270) for mirrored in (False, True)]


def _first_frame(path: Path) -> av.VideoFrame:
    with VideoReader(path) as file:
        return next(iter(file)).native


def _displayed_by_definition(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """Move each pixel as FFmpeg's `libavutil/display.h` defines the matrix."""
    stored = frame.to_ndarray(format="bgr24", interpolation="BILINEAR")
    matrix = display_matrix(frame) or (1, 0, 0, 0, 1)
    a, b, c, d = (int(np.sign(matrix[place])) for place in (0, 1, 3, 4))
    ys, xs = np.indices(stored.shape[:2])
    columns, rows = a * xs + c * ys, b * xs + d * ys
    columns, rows = columns - columns.min(), rows - rows.min()
    displayed = np.zeros((rows.max() + 1, columns.max() + 1, 3), np.uint8)
    displayed[rows, columns] = stored
    return displayed


@pytest.mark.parametrize(("rotation", "mirrored"), ALL)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_frame_is_seen_as_its_matrix_defines(
    rotation: int, mirrored: bool, suffix: str, tmp_path: Path
) -> None:
    kind = Kind(suffix, rotation=rotation, mirrored=mirrored, frames=1, sounds=())
    frame = _first_frame(make(tmp_path, kind))
    assert (display_matrix(frame) is not None) == bool(rotation or mirrored)
    assert np.array_equal(ToBgr(FAST)(frame), _displayed_by_definition(frame))


@pytest.mark.parametrize(("rotation", "mirrored"), ALL)
def test_unmask_video_output_is_displayed_as_the_source(
    rotation: int, mirrored: bool, tmp_path: Path
) -> None:
    """The stub paints the lower left quarter of what it sees."""
    source = make(tmp_path, Kind(rotation=rotation, mirrored=mirrored, frames=2, sounds=()))
    target = tmp_path / "out.mkv"
    unmask_video(source, target, StubUnmasker(), VideoOptions(encoding=Encoding("ffv1")))
    before, after = _first_frame(source), _first_frame(target)
    one, other = _displayed_by_definition(before), _displayed_by_definition(after)
    height, width = one.shape[:2]
    assert display_matrix(after) == display_matrix(before)
    assert other.shape == one.shape
    painted = np.zeros((height, width), bool)
    painted[height // 2 :, : width // 2] = True
    assert np.abs(other[painted].astype(int) - (40, 80, 160)).mean() < 8
    assert np.abs(other[~painted].astype(int) - one[~painted]).mean() < 1


@pytest.mark.parametrize(("rotation", "mirrored"), ALL)
def test_orientation_stored_undoes_displayed(rotation: int, mirrored: bool) -> None:
    orientation = Orientation(rotation // 90, mirrored)
    image = np.arange(24).reshape(4, 6)
    assert np.array_equal(orientation.stored(orientation.displayed(image)), image)


def test_to_bgr_keeps_no_frame_of_a_stream() -> None:
    """PyAV ties a frame to itself whose side data are read; only a search for cycles frees it."""
    frames = [av.VideoFrame.from_ndarray(np.zeros((96, 64), np.uint8), "gray8") for _ in range(4)]
    convert = ToBgr(FAST)
    gc.collect()
    gc.disable()
    try:
        while frames:
            convert(frames.pop())
        left = sum(isinstance(each, av.VideoFrame) for each in gc.get_objects())
    finally:
        gc.enable()
    assert left <= 1
