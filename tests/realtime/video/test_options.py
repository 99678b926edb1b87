"""Options of a written video: codec, quality, hardware, badge, side by side, a part."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from inpaint_model.errors import UserError
from realtime.cli.options import parse_time
from realtime.imaging.badge import paste_badge
from realtime.media.codecs import Encoding
from realtime.media.reader import VideoReader
from realtime.video.file import VideoOptions, unmask_video
from tests.realtime.making_media import StubUnmasker
from tests.realtime.making_sources import Kind, make, native_planes, read_facts


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return make(tmp_path, Kind(size=(320, 192), frames=12))


@pytest.mark.parametrize(
    ("codec", "suffix", "found"),
    [
        ("h264", ".mp4", "h264"),
        ("hevc", ".mp4", "hevc"),
        ("hevc", ".mkv", "hevc"),
        ("av1", ".mp4", "av1"),
        ("vp9", ".mkv", "vp9"),
        ("prores", ".mov", "prores"),
        ("ffv1", ".mkv", "ffv1"),
    ],
)
def test_codec_each_keeps_times_and_colours(
    source: Path, tmp_path: Path, codec: str, suffix: str, found: str
) -> None:
    target = tmp_path / f"out{suffix}"
    unmask_video(source, target, StubUnmasker(), VideoOptions(encoding=Encoding(codec)))
    with av.open(str(target)) as file:
        name = file.streams.video[0].codec_context.codec.canonical_name
        assert name == found
    before, after = read_facts(source), read_facts(target)
    shift_s = (
        after.shown_s[0] - before.shown_s[0]
    )  # Matroska knows no time before 0: sound begins there
    assert [t - shift_s for t in after.shown_s] == pytest.approx(before.shown_s, abs=0.0006)
    assert shift_s == (0 if suffix != ".mkv" else pytest.approx(0.021, abs=0.001))
    assert after.color == before.color
    with VideoReader(target) as file:
        image = next(iter(file)).image_bgr
    assert np.abs(image[150, 60].astype(int) - (40, 80, 160)).max() < 14


def test_crf_higher_gives_a_smaller_file(source: Path, tmp_path: Path) -> None:
    sizes = []
    for crf in (10, 30):
        target = tmp_path / f"{crf}.mp4"
        unmask_video(source, target, StubUnmasker(), VideoOptions(encoding=Encoding(crf=crf)))
        sizes.append(target.stat().st_size)
    assert sizes[0] > 1.5 * sizes[1]


def test_hardware_missing_falls_back_with_a_warning(source: Path, tmp_path: Path) -> None:
    options = VideoOptions(encoding=Encoding(hardware=True))
    report = unmask_video(source, tmp_path / "out.mp4", StubUnmasker(), options)
    notes = [w for w in report.warnings if w.startswith("no hardware encoder")]
    if not notes:
        pytest.skip("there is a hardware encoder here")
    assert "encoded by libx264" in notes[0]


def test_badge_is_drawn_where_faces_were_filled(source: Path, tmp_path: Path) -> None:
    images = []
    for badge in (False, True):
        target = tmp_path / f"{badge}.mkv"
        options = VideoOptions(badge=badge, encoding=Encoding("ffv1"))
        unmask_video(source, target, StubUnmasker(), options)
        with VideoReader(target) as file:
            images.append(next(iter(file)).image_bgr)
    plain, badged = images
    expected = plain.copy()
    region = paste_badge(expected)
    assert np.abs(badged[region].astype(int) - expected[region]).mean() < 6
    away = np.ones(plain.shape[:2], bool)
    away[region] = False
    assert np.abs(badged[away].astype(int) - plain[away]).mean() < 0.1


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_side_by_side_rotated_video_has_the_source_left(
    tmp_path: Path, rotation: int, mirrored: bool
) -> None:
    source = make(tmp_path, Kind(rotation=rotation, mirrored=mirrored, sounds=(), frames=3))
    target = tmp_path / "out.mkv"
    options = VideoOptions(side_by_side=True, encoding=Encoding("ffv1"))
    unmask_video(source, target, StubUnmasker(), options)
    with VideoReader(source) as one, VideoReader(target) as other:
        before, both = next(iter(one)).image_bgr, next(iter(other)).image_bgr
    height, width = before.shape[:2]
    assert both.shape == (height, 2 * width, 3)
    assert np.abs(both[:, : width - 4].astype(int) - before[:, :-4]).max() <= 6
    hole = both[height * 3 // 4, width + width // 4]
    assert np.abs(hole.astype(int) - (40, 80, 160)).max() < 6
    assert (
        np.abs(both[: height // 3, width + 4 :].astype(int) - before[: height // 3, 4:]).max() <= 6
    )


class SometimesMasked(StubUnmasker):
    """Masks are worn only in the frames from 20 to 29."""

    def __call__(self, frame_bgr):
        self._paints = 20 <= self.seen < 30
        return super().__call__(frame_bgr)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("b_frames", ["0", "3"])
def test_copy_untouched_keeps_gops_without_masks(
    tmp_path: Path, suffix: str, b_frames: str
) -> None:
    options = {"bf": b_frames, "g": "10", "b_strategy": "0", "x264-params": "scenecut=0"}
    kind = Kind(frames=50, size=(160, 96), options=options, sounds=())
    source = make(tmp_path, kind)
    target = tmp_path / f"out{suffix}"
    unmask_video(source, target, SometimesMasked(), VideoOptions(copy_untouched=True))
    before, after = native_planes(source), native_planes(target)
    same = [
        all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
        for one, other in zip(before, after, strict=True)
    ]
    assert same == [not 20 <= index < 30 for index in range(50)]
    if suffix == ".mp4":
        assert read_facts(target).shown_s == read_facts(source).shown_s


def test_copy_untouched_is_refused_where_impossible(source: Path, tmp_path: Path) -> None:
    for options in (
        VideoOptions(copy_untouched=True, encoding=Encoding("hevc")),
        VideoOptions(copy_untouched=True, side_by_side=True),
    ):
        with pytest.raises(UserError, match=r"the result must be H\.264"):
            unmask_video(source, tmp_path / "out.mp4", StubUnmasker(), options)
    other = make(tmp_path, Kind(codec="libx265", frames=3, sounds=()))
    with pytest.raises(UserError, match=r"works with H\.264, and the video is hevc"):
        unmask_video(other, tmp_path / "out.mp4", StubUnmasker(), VideoOptions(copy_untouched=True))


def test_parse_time_reads_seconds_and_clock_times() -> None:
    assert parse_time("75.5", "--start") == 75.5
    assert parse_time("1:15", "--start") == 75
    assert parse_time("01:02:03.5", "--start") == 3723.5
    assert parse_time(None, "--start") is None
