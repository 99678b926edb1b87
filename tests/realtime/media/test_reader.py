"""What stays the same in a video file: timestamps, sound, size, colours, rotation."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from inpaint_model.errors import UserError
from realtime.media.colour import from_bgr, to_bgr
from realtime.media.reader import VideoReader
from realtime.media.truncation import is_cut_short
from realtime.video.file import VideoOptions, unmask_video
from tests.realtime.making_media import StubUnmasker, moving_images, read_packets, write_video

STEPS = [300, 700, 512, 511, 513, 900, 200, 333, 512, 512, 640, 401] * 3


@pytest.fixture(scope="module")
def uneven(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """36 frames of uneven length with sound."""
    path = tmp_path_factory.mktemp("media") / "uneven.mp4"
    return write_video(path, moving_images(len(STEPS)), steps=STEPS, sound_s=1.6)


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_video_keeps_timestamps_and_sound_exactly(
    uneven: Path, tmp_path: Path, suffix: str
) -> None:
    target = tmp_path / f"out{suffix}"
    report = unmask_video(uneven, target, StubUnmasker())
    before, after = read_packets(uneven), read_packets(target)
    assert report.frames == len(STEPS)
    assert report.dropped_frames == 0
    assert after.shown_s == before.shown_s
    assert after.video_end_s == before.video_end_s
    assert after.sound == before.sound
    assert len(after.sound) > 70
    assert after.size == before.size


def test_matroska_keeps_times_to_the_millisecond(uneven: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mkv"
    unmask_video(uneven, target, StubUnmasker())
    before, after = read_packets(uneven), read_packets(target)
    shift = after.shown_s[0] - before.shown_s[0]
    errors = [abs(a - shift - b) for a, b in zip(after.shown_s, before.shown_s, strict=True)]
    assert max(errors) <= Fraction(1, 1000)
    assert [packet[3] for packet in after.sound] == [packet[3] for packet in before.sound]


def test_video_metadata_says_synthetic(uneven: Path, tmp_path: Path) -> None:
    unmask_video(uneven, tmp_path / "out.mp4", StubUnmasker())
    assert "synthetic" in read_packets(tmp_path / "out.mp4").tags["comment"]


def test_side_by_side_shows_the_input_beside_the_result(uneven: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    unmask_video(uneven, target, StubUnmasker(), VideoOptions(side_by_side=True))
    assert read_packets(target).size == (192, 64)
    with VideoReader(target) as file:
        image = next(iter(file)).image_bgr
    assert np.abs(image[48, 110].astype(int) - (40, 80, 160)).max() < 12
    assert np.abs(image[48, 14].astype(int) - (40, 80, 160)).max() > 20


def test_video_odd_size_is_kept(tmp_path: Path) -> None:
    source = write_video(tmp_path / "odd.mp4", moving_images(5, (97, 63)), pixel_format="yuv444p")
    unmask_video(source, tmp_path / "out.mp4", StubUnmasker())
    assert read_packets(tmp_path / "out.mp4").size == (97, 63)


@pytest.mark.parametrize("colorspace", [1, 2, 5, 9])
@pytest.mark.parametrize("color_range", [1, 2])
def test_colours_to_bgr_and_back_stay(colorspace: int, color_range: int) -> None:
    image = next(moving_images(1, (128, 96)))
    yuv = from_bgr(image, "yuv420p", colorspace, color_range)
    back = from_bgr(to_bgr(yuv), "yuv420p", colorspace, color_range)
    change = back.to_ndarray().astype(int) - yuv.to_ndarray()
    assert abs(change[:96].mean()) < 0.1
    assert np.abs(change).max() <= 2


def test_pixels_that_are_not_replaced_stay(uneven: Path, tmp_path: Path) -> None:
    unmask_video(uneven, tmp_path / "out.mp4", StubUnmasker())
    with VideoReader(uneven) as one, VideoReader(tmp_path / "out.mp4") as other:
        for before, after in zip(one, other, strict=False):
            change = after.image_bgr[:24].astype(int) - before.image_bgr[:24]
            assert abs(change.mean()) < 1.0
            assert np.sqrt(np.square(change).mean()) < 4


def test_reader_rotated_phone_video_is_upright(tmp_path: Path) -> None:
    images = [np.zeros((64, 96, 3), np.uint8) for _ in range(4)]
    for image in images:
        image[:, :20] = 255  # the stored left edge
    path = write_video(tmp_path / "turned.mp4", images)
    content = path.read_bytes()
    identity = b"".join(n.to_bytes(4, "big") for n in (65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30))
    turn = (0, 65536, 0, 0xFFFF0000, 0, 0, 64 << 16, 0, 1 << 30)  # shown turned right by 90 degrees
    at = content.index(identity, content.index(b"tkhd"))
    matrix = b"".join(n.to_bytes(4, "big") for n in turn)
    path.write_bytes(content[:at] + matrix + content[at + len(identity) :])
    with VideoReader(path) as file:
        image = next(iter(file)).image_bgr
    assert image.shape == (96, 64, 3)
    assert image[:10].mean() > 200
    assert image[-10:].mean() < 50
    unmask_video(path, tmp_path / "out.mp4", StubUnmasker())
    with VideoReader(path) as one, VideoReader(tmp_path / "out.mp4") as other:
        before, after = next(iter(one)), next(iter(other))
    assert after.native.rotation == before.native.rotation != 0
    assert after.image_bgr.shape == (96, 64, 3)
    assert np.abs(after.image_bgr[60, 10].astype(int) - (40, 80, 160)).max() < 12  # lower left
    assert np.abs(after.image_bgr[60, 50].astype(int) - before.image_bgr[60, 50]).max() < 12


def test_sound_the_container_cannot_hold_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "in.mkv"
    with av.open(str(source), "w") as file:
        video = file.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 96, 64, "yuv420p"
        sound = file.add_stream("pcm_u8", rate=44100)
        for image in moving_images(3):
            file.mux(video.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        file.mux(video.encode(None))
        tone = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.uint8), "u8", "stereo")
        tone.sample_rate = 44100
        file.mux([*sound.encode(tone), *sound.encode(None)])
    with pytest.raises(UserError, match=r"pcm_u8 sound does not fit into \.mp4"):
        unmask_video(source, tmp_path / "out.mp4", StubUnmasker())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.mkv"]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
def test_is_cut_short_detects_truncated_files(tmp_path: Path, suffix: str) -> None:
    whole = write_video(tmp_path / f"whole{suffix}", moving_images(12))
    content = whole.read_bytes()
    cut = tmp_path / f"cut{suffix}"
    cut.write_bytes(content[: len(content) * 3 // 4])
    assert not is_cut_short(whole)
    assert is_cut_short(cut)
