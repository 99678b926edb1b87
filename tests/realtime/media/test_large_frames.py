"""How large frames are coded, so that few of them are held."""

from __future__ import annotations

import weakref
from fractions import Fraction
from pathlib import Path

import av
import pytest

from realtime.media.codecs import Encoding
from realtime.media.encoder_choice import choose_encoder
from realtime.media.reader import VideoReader
from realtime.media.stream_properties import StreamProperties, open_encoder
from tests.realtime.making_media import moving_images, write_video


@pytest.mark.parametrize(
    ("size", "pixel_format", "most"),
    [((3072, 2048), "yuv420p10le", 5), ((4800, 3600), "yuv420p", 1)],
)
def test_encoder_holds_few_large_frames(
    size: tuple[int, int], pixel_format: str, most: int
) -> None:
    frame = av.VideoFrame(*size, pixel_format)
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    choice = choose_encoder(frame, Path("out.mkv"), Encoding())
    properties = StreamProperties(*size, Fraction(1, 25), Fraction(25), Fraction(0), 1, 1, 1, 1)
    encoder = open_encoder(choice, properties)
    held = 0
    for pts in range(9):
        frame.pts, frame.time_base = pts, Fraction(1, 25)
        held += 1 - len(encoder.encode(frame))
    assert held <= most


def test_reader_lets_its_first_frame_go(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4", moving_images(6))
    with VideoReader(path) as reader:
        first = weakref.ref(reader.first_frame())
        frames = reader.frames()
        for _ in range(3):
            next(frames)
        assert first() is None
        assert [frame.index for frame in frames] == [3, 4, 5]
