"""A matrix of sources: whatever a video is, nothing of it is lost, shifted or recoloured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.codec.context import Flags
from av.container import OutputContainer
from av.stream import Disposition

from inpaint_model.errors import UserError
from realtime.media.codecs import CODECS, Encoding
from realtime.runtime.report import Report
from realtime.video.file import VideoOptions, unmask_video
from tests.realtime.making_media import StubUnmasker
from tests.realtime.making_sources import STEPS, Kind, make, native_planes, read_facts

UNEVEN = Kind(steps=tuple(STEPS))
NTSC = Fraction(1, 30_000)
INTERLACED = int(Flags.interlaced_dct | Flags.interlaced_me)


def _chapters(file: OutputContainer) -> Callable[[], None]:
    unit = Fraction(1, 1000)
    file.set_chapters(
        [
            {"id": 1, "start": 0, "end": 400, "time_base": unit, "metadata": {"title": "one"}},
            {"id": 2, "start": 400, "end": 640, "time_base": unit, "metadata": {"title": "two"}},
        ]
    )
    return lambda: None


def _tags(file: OutputContainer) -> Callable[[], None]:
    file.metadata.update(title="Tom's film", artist="Ann", comment="my holidays", date="2024-05-01")
    return lambda: None


def _phone_tags(file: OutputContainer) -> Callable[[], None]:
    file.metadata.update({"com.apple.quicktime.make": "Apple", "title": "a day"})
    return lambda: None


def _subtitles(name: str) -> Callable[[OutputContainer], Callable[[], None]]:
    def add(file: OutputContainer) -> Callable[[], None]:
        stream = file.add_mux_stream(name)
        stream.metadata["language"] = "deu"

        def mux() -> None:
            for number, word in enumerate(("Guten Tag", "Auf Wiedersehen")):
                text = word.encode()
                prefix = len(text).to_bytes(2, "big") if name == "mov_text" else b""
                packet = av.Packet(prefix + text)
                packet.time_base = Fraction(1, 1000)
                packet.pts = packet.dts = 100 + 400 * number
                packet.duration, packet.stream = 300, stream
                file.mux(packet)

        return mux

    return add


def _cover(file: OutputContainer) -> Callable[[], None]:
    cover = file.add_mux_stream("png", width=8, height=8)
    cover.disposition = Disposition.attached_pic
    context = av.CodecContext.create("png", "w")
    context.width = context.height = 8
    context.pix_fmt, context.time_base = "rgb24", Fraction(1, 25)
    picture = av.VideoFrame.from_ndarray(np.full((8, 8, 3), 77, np.uint8), format="rgb24")
    picture.pts = 0

    def mux() -> None:
        for packet in context.encode(picture) + context.encode(None):
            packet.stream = cover
            file.mux(packet)

    return mux


def _attachment(file: OutputContainer) -> Callable[[], None]:
    file.add_attachment("font.ttf", "application/x-truetype-font", bytes(range(200)))
    return lambda: None


def _timecode(file: OutputContainer) -> Callable[[], None]:
    file.streams.video[0].metadata["timecode"] = "01:00:00:00"
    return lambda: None


KINDS = {
    "variable frame rate": UNEVEN,
    "29.97": Kind(time_base=NTSC, steps=(1001,)),
    "23.976": Kind(time_base=Fraction(1, 24_000), steps=(1001,)),
    "59.94 in quicktime": Kind(suffix=".mov", time_base=Fraction(1, 60_000), steps=(1001,)),
    "starts late": replace(UNEVEN, first=19_200),
    "edit list": replace(UNEVEN, first=-2000),
    "b-frames": Kind(options={"bf": "3", "b_strategy": "0", "b-pyramid": "normal"}),
    "b-frames and variable": replace(UNEVEN, options={"bf": "4", "b_strategy": "0"}),
    "no b-frames": Kind(options={"bf": "0"}),
    "long last frame": Kind(steps=(512,) * 15 + (6400,)),
    "one frame": Kind(frames=1, sounds=()),
    "turned left": Kind(rotation=90),
    "upside down": Kind(rotation=180),
    "turned right": Kind(rotation=270, suffix=".mov"),
    "mirrored": Kind(rotation=90, mirrored=True),
    "turned matroska": Kind(rotation=90, suffix=".mkv", time_base=Fraction(1, 1000), steps=(40,)),
    "wide pixels": Kind(aspect=Fraction(4, 3)),
    "full range": Kind(color=(2, 1, 1, 1)),
    "pal": Kind(color=(1, 5, 5, 5)),
    "ntsc colours": Kind(color=(1, 6, 6, 6)),
    "bt2020": Kind(color=(1, 9, 9, 14)),
    "p3": Kind(color=(1, 1, 12, 1)),
    "no colours named": Kind(color=(0, 2, 2, 2)),
    "10 bit 4:2:0": Kind(codec="libx265", pixel_format="yuv420p10le"),
    "10 bit 4:2:2": Kind(pixel_format="yuv422p10le"),
    "10 bit 4:4:4": Kind(pixel_format="yuv444p10le"),
    "12 bit 4:2:0": Kind(codec="libx265", pixel_format="yuv420p12le"),
    "8 bit 4:2:2": Kind(pixel_format="yuv422p"),
    "8 bit 4:4:4": Kind(pixel_format="yuv444p"),
    "grey": Kind(pixel_format="gray", color=(1, 2, 1, 1)),
    "hdr pq": Kind(codec="libx265", pixel_format="yuv420p10le", color=(1, 9, 9, 16)),
    "hdr hlg": Kind(codec="libx265", pixel_format="yuv420p10le", color=(1, 9, 9, 18)),
    "interlaced, top first": Kind(flags=INTERLACED, options={"x264-params": "tff=1"}),
    "interlaced, bottom first": Kind(flags=INTERLACED, options={"x264-params": "bff=1"}),
    "no sound": Kind(sounds=()),
    "several sounds": Kind(sounds=("aac", "ac3", "libmp3lame")),
    "flac": Kind(sounds=("flac",)),
    "pcm in quicktime": Kind(suffix=".mov", sounds=("pcm_s16le",)),
    "chapters": Kind(extra=_chapters),
    "tags": Kind(extra=_tags),
    "a phone's tags": Kind(suffix=".mov", extra=_phone_tags),
    "subtitles": Kind(extra=_subtitles("mov_text")),
    "subtitles in matroska": Kind(
        suffix=".mkv", time_base=Fraction(1, 1000), steps=(33, 34), extra=_subtitles("subrip")
    ),
    "cover picture": Kind(extra=_cover),
    "time code": Kind(suffix=".mov", extra=_timecode),
    "attached font": Kind(
        suffix=".mkv", time_base=Fraction(1, 1000), steps=(40,), extra=_attachment
    ),
    "matroska": Kind(suffix=".mkv", time_base=Fraction(1, 1000), steps=(33, 34, 33, 50)),
    "webm": Kind(
        suffix=".webm",
        codec="libvpx-vp9",
        options={"deadline": "realtime", "cpu-used": "8"},
        time_base=Fraction(1, 1000),
        steps=(33, 34),
        sounds=("libopus",),
    ),
    "prores": Kind(suffix=".mov", codec="prores_ks", pixel_format="yuv422p10le"),
}


def _run(source: Path, suffix: str = "", **options: object) -> tuple[Path, Report]:
    target = source.with_name("out" + (suffix or source.suffix))
    report = unmask_video(
        source,
        target,
        StubUnmasker(),
        VideoOptions(**options),  # pyright: ignore[reportArgumentType]
    )
    return target, report


@pytest.mark.parametrize("name", KINDS)
def test_video_of_every_kind_keeps_all_but_faces(name: str, tmp_path: Path) -> None:
    source = make(tmp_path, KINDS[name])
    target, report = _run(source)
    before, after = read_facts(source), read_facts(target)
    assert after.shown_s == before.shown_s
    assert after.end_s == before.end_s
    assert after.others == before.others
    assert after.color == before.color
    assert after.matrix == before.matrix
    assert after.aspect == before.aspect
    assert after.interlaced == before.interlaced
    assert after.size == before.size
    assert after.chapters == before.chapters
    assert after.languages == before.languages
    assert after.dispositions == before.dispositions
    assert "synthetic" in after.tags["comment"]
    for tag in before.tags.keys() - {"comment", "encoder", "duration", "compatible_brands"}:
        assert after.tags[tag] == before.tags[tag], tag
    assert before.tags.get("comment", "") in after.tags["comment"]
    assert report.dropped_frames == 0
    assert report.frames == len(before.shown_s)
    assert not report.warnings


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
@pytest.mark.parametrize("between", [0, 1, 2, 4, 7])
def test_video_end_stays_whichever_frame_is_coded_last(
    between: int, suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"preset": "ultrafast", "bf": str(between), "b_strategy": "0"}
    monkeypatch.setitem(CODECS, "h264", replace(CODECS["h264"], options=options))
    source = make(tmp_path, UNEVEN)
    target, _ = _run(source, suffix)
    before, after = read_facts(source), read_facts(target)
    assert after.end_s == before.end_s
    assert after.shown_s == before.shown_s


@pytest.mark.parametrize(
    ("name", "suffix"),
    [("variable frame rate", ".mov"), ("matroska", ".mp4"), ("several sounds", ".mov")],
)
def test_video_another_container_keeps_times_and_sound(
    name: str, suffix: str, tmp_path: Path
) -> None:
    source = make(tmp_path, KINDS[name])
    target, _ = _run(source, suffix)
    before, after = read_facts(source), read_facts(target)
    assert after.shown_s == before.shown_s
    assert [d for *_, d in after.others[1]] == [d for *_, d in before.others[1]]


DEPTHS = ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le", "gray"]


@pytest.mark.parametrize("transfer", [1, 16, 18])
@pytest.mark.parametrize("pixel_format", DEPTHS)
def test_video_samples_outside_the_hole_stay_bit_exact(
    pixel_format: str, transfer: int, tmp_path: Path
) -> None:
    color = (1, 1, 1, 1) if transfer == 1 else (1, 9, 9, transfer)
    source = make(tmp_path, Kind(pixel_format=pixel_format, color=color, sounds=(), frames=4))
    target, _ = _run(source, ".mkv", encoding=Encoding("ffv1"))
    for before, after in zip(native_planes(source), native_planes(target), strict=True):
        for one, other in zip(before, after, strict=True):
            hole = np.zeros(one.shape, bool)
            hole[one.shape[0] // 2 :, : one.shape[1] // 2] = True
            assert np.array_equal(one[~hole], other[~hole])
            assert (one[hole] != other[hole]).mean() > 0.3


def test_video_alpha_channel_is_kept_by_ffv1(tmp_path: Path) -> None:
    source = make(
        tmp_path,
        Kind(suffix=".mov", codec="prores_ks", pixel_format="yuva444p10le", frames=3, sounds=()),
    )
    target, _ = _run(source, ".mkv", encoding=Encoding("ffv1"))
    for before, after in zip(native_planes(source), native_planes(target), strict=True):
        assert len(before) == len(after) == 4
        assert np.array_equal(before[3], after[3])


def test_interlaced_video_is_refused_where_fields_would_be_lost(tmp_path: Path) -> None:
    source = make(tmp_path, KINDS["interlaced, top first"])
    with pytest.raises(UserError, match="interlaced, which hevc does not support"):
        _run(source, encoding=Encoding("hevc"))


def test_stream_that_does_not_fit_is_reported(tmp_path: Path) -> None:
    source = make(tmp_path, KINDS["subtitles in matroska"])
    target, report = _run(source, ".mp4")
    assert [s for s in report.warnings if "subtitles (subrip) do not fit into .mp4" in s]
    assert read_facts(target).shown_s == read_facts(source).shown_s
    with pytest.raises(UserError, match=r"aac sound does not fit into \.webm"):
        _run(source, ".webm")


def test_video_odd_size_loses_no_line(tmp_path: Path) -> None:
    kind = replace(KINDS["webm"], size=(97, 63), suffix=".mkv", sounds=())
    source = make(tmp_path, kind)
    target, report = _run(source)
    assert read_facts(target).size == (97, 63)
    assert any("encoded as yuv444p" in warning for warning in report.warnings)
