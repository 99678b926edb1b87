"""Files as cameras, recorders and other programs leave them: nothing is lost, and no result is broken."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from inpaint_model.errors import UserError
from realtime.cli.app import run
from realtime.media.codecs import Encoding
from realtime.media.hdr_metadata import HdrMetadata
from realtime.media.output_check import check_readable
from realtime.runtime.report import Report
from realtime.video.file import VideoOptions, unmask_video
from tests.realtime.making_media import (
    SOUND_HZ,
    StubUnmasker,
    moving_images,
    read_packets,
    write_video,
)
from tests.realtime.making_sources import Kind, make, read_facts

CLOCK = Fraction(1, 90_000)  # of a transport stream
FRAME = 3600  # its ticks in a frame of 25 frames/s


def _unmask(source: Path, target: Path, *, paints: bool = True) -> Report:
    return unmask_video(source, target, StubUnmasker(paints=paints), VideoOptions(overwrite=True))


def _shown_s(path: Path) -> list[float]:
    """The times of the frames as a player shows them, seconds."""
    with av.open(str(path)) as file:
        video = file.streams.video[0]
        return [round(float(frame.time or 0), 3) for frame in file.decode(video)]


def _write_frames(
    path: Path,
    codec: str,
    frames: Iterable[av.VideoFrame],
    pixel_format: str = "yuv420p",
    options: dict[str, str] | None = None,
    tags: dict[str, str] | None = None,
) -> Path:
    """Write a video without sound, 25 frames/s."""
    with av.open(str(path), "w") as file:
        video = file.add_stream(codec, rate=25)
        assert isinstance(video, av.VideoStream)
        video.pix_fmt, video.codec_context.options = pixel_format, options or {}
        video.metadata.update(tags or {})
        for index, frame in enumerate(frames):
            if not index:
                video.width, video.height = frame.width, frame.height
            frame.pts, frame.time_base = index, Fraction(1, 25)
            file.mux(video.encode(frame))
        file.mux(video.encode(None))
    return path


def _frames(count: int, size: tuple[int, int] = (96, 64)) -> Iterator[av.VideoFrame]:
    for image in moving_images(count, size):
        yield av.VideoFrame.from_ndarray(image, format="bgr24")


def _write_ts(path: Path, frames: int, first: int = 0, sounds: tuple[str, ...] = ()) -> Path:
    kind = Kind(
        suffix=".ts",
        time_base=CLOCK,
        steps=(FRAME,),
        first=first,
        frames=frames,
        sounds=sounds,
        options={"g": "12"},
    )
    return make(path.parent, kind).rename(path)


def _joined(path: Path, parts: Iterable[Path]) -> Path:
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


@pytest.mark.parametrize("suffix", [".avi", ".mkv"])
def test_pcm_without_a_layout_fits_into_mp4(suffix: str, tmp_path: Path) -> None:
    source = tmp_path / f"in{suffix}"
    samples = np.arange(4800, dtype=np.int16).reshape(1, -1)
    with av.open(str(source), "w") as file:
        video = file.add_stream("mpeg4", rate=25)
        video.width, video.height, video.pix_fmt = 96, 64, "yuv420p"
        sound = file.add_stream("pcm_s16le", rate=SOUND_HZ, layout="stereo")
        for image in moving_images(5):
            file.mux(video.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        file.mux(video.encode(None))
        tone = av.AudioFrame.from_ndarray(samples, format="s16", layout="stereo")
        tone.sample_rate = SOUND_HZ
        file.mux([*sound.encode(tone), *sound.encode(None)])
    _unmask(source, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as file:
        sound = file.streams.audio[0]
        assert sound.layout.name == "stereo"
        assert b"".join(bytes(p) for p in file.demux(sound)) == samples.tobytes()


def test_sound_that_only_mov_holds_is_refused_with_its_name(tmp_path: Path) -> None:
    source = tmp_path / "in.avi"
    with av.open(str(source), "w") as file:
        video = file.add_stream("mpeg4", rate=25)
        video.width, video.height, video.pix_fmt = 96, 64, "yuv420p"
        sound = file.add_stream("pcm_mulaw", rate=8000, layout="mono")
        for frame in _frames(3):
            file.mux(video.encode(frame))
        file.mux(video.encode(None))
        tone = av.AudioFrame.from_ndarray(np.zeros((1, 960), np.int16), format="s16", layout="mono")
        tone.sample_rate = 8000
        file.mux([*sound.encode(tone), *sound.encode(None)])
    for suffix in (".mp4", ".mkv"):
        with pytest.raises(UserError, match=r"name a \.mov file"):
            _unmask(source, tmp_path / f"out{suffix}")
    _unmask(source, tmp_path / "out.mov")


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_raw_dv_keeps_its_frame_rate(suffix: str, tmp_path: Path) -> None:
    source = _write_frames(tmp_path / "in.dv", "dvvideo", _frames(3, (720, 576)))
    with av.open(str(source)) as file:
        assert file.streams.video[0].average_rate == 60_000  # what FFmpeg takes it for
    _unmask(source, tmp_path / f"out{suffix}")
    assert _shown_s(tmp_path / f"out{suffix}") == [0.0, 0.04, 0.08]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm"])
def test_odd_width_gives_a_file_that_opens(suffix: str, tmp_path: Path) -> None:
    source = _write_frames(tmp_path / "in.mov", "mjpeg", _frames(3, (97, 64)), "yuvj420p")
    _unmask(source, tmp_path / f"out{suffix}")
    with av.open(str(tmp_path / f"out{suffix}")) as file:
        frames = list(file.decode(video=0))
        name = file.streams.video[0].codec_context.name
    assert [(frame.width, frame.height) for frame in frames] == [(97, 64)] * 3
    assert "444" in frames[0].format.name
    assert name == ("vp9" if suffix == ".webm" else "h264")


def test_check_readable_refuses_a_file_without_its_end(tmp_path: Path) -> None:
    path = write_video(tmp_path / "out.mkv", moving_images(30))
    check_readable(path, path)
    content = path.read_bytes()
    path.write_bytes(content[:300])
    with pytest.raises(UserError, match="cannot be read after it is written"):
        check_readable(path, path)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize(("second", "sounds"), [(0, ("aac",)), (3600 * 90_000, ())])
def test_joined_transport_streams_follow_one_another(
    second: int, sounds: tuple[str, ...], suffix: str, tmp_path: Path
) -> None:
    parts = [
        _write_ts(tmp_path / f"{number}.ts", 12, first, sounds)
        for number, first in enumerate((0, second, 0))
    ]
    source = _joined(tmp_path / "in.ts", parts)
    report = _unmask(source, tmp_path / f"out{suffix}")
    times = _shown_s(tmp_path / f"out{suffix}")
    assert len(times) == 36
    steps = np.diff(times)
    assert steps.min() > 0.039
    assert steps.max() < 0.1
    assert any("clock jumps 2 times" in warning for warning in report.warnings)
    assert not any("damaged" in warning for warning in report.warnings)
    if sounds:
        with av.open(str(source)) as before, av.open(str(tmp_path / f"out{suffix}")) as after:
            count = sum(packet.size > 0 for packet in before.demux(audio=0))
            sound_s = [float((p.pts or 0) * p.time_base) for p in after.demux(audio=0) if p.size]
        assert len(sound_s) == count
        begins_s = np.array(sound_s[:: count // 3][:3]) - times[0]
        assert np.abs(begins_s - np.array(times[::12]) + times[0]).max() < 0.1


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_clock_that_wraps_hides_no_frame(suffix: str, tmp_path: Path) -> None:
    source = _write_ts(tmp_path / "in.ts", 24, (1 << 33) - 12 * FRAME)
    _unmask(source, tmp_path / f"out{suffix}")
    expected = [round(0.04 * index, 3) for index in range(24)]
    assert _shown_s(tmp_path / f"out{suffix}") == expected


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_avi_with_b_frames_has_even_times(suffix: str, tmp_path: Path) -> None:
    options = {"bf": "2", "g": "12", "b-pyramid": "none", "b_strategy": "0"}
    coded = {"frames": 24, "steps": (1,), "options": options}
    kind = Kind(suffix=".avi", time_base=Fraction(1, 25), sounds=(), **coded)
    report = _unmask(make(tmp_path, kind), tmp_path / f"out{suffix}")
    assert not report.warnings
    expected = [round(0.04 * index, 3) for index in range(24)]
    assert _shown_s(tmp_path / f"out{suffix}") == expected


def _with_unknown_sound(source: Path, *, all_tracks: bool = False) -> Path:
    """Rename the codec of the last sound track, or of all of them, to one that FFmpeg does not know."""
    content = source.read_bytes()
    entries = [at for at in range(len(content)) if content.startswith(b"mp4a", at)]
    for at in entries if all_tracks else entries[-1:]:
        codec_box = content.index(b"esds", at)
        content = content[:codec_box] + b"dapa" + content[codec_box + 4 :]
        content = content[:at] + b"apac" + content[at + 4 :]
    source.write_bytes(content)
    return source


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_sound_that_nobody_knows_is_left_out(suffix: str, tmp_path: Path) -> None:
    source = _with_unknown_sound(make(tmp_path, Kind(sounds=("aac", "aac"))))
    report = _unmask(source, tmp_path / f"out{suffix}")
    assert any("a sound track (unknown) does not fit" in warning for warning in report.warnings)
    with av.open(str(tmp_path / f"out{suffix}")) as file:
        assert [stream.codec_context.name for stream in file.streams.audio] == ["aac"]


def test_only_sound_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    source = _with_unknown_sound(make(tmp_path, Kind()), all_tracks=True)
    for suffix in (".mp4", ".mkv"):
        with pytest.raises(UserError, match="convert or remove it first"):
            _unmask(source, tmp_path / f"out{suffix}")


@pytest.mark.parametrize(
    "kind",
    [
        Kind(suffix=".mkv", time_base=Fraction(1, 1000), steps=(40,), options={"g": "5"}),
        Kind(
            suffix=".webm",
            codec="libvpx",
            options={"g": "5", "deadline": "realtime", "cpu-used": "8"},
            time_base=Fraction(1, 1000),
            steps=(40,),
            sounds=(),
        ),
        Kind(suffix=".ts", time_base=CLOCK, steps=(FRAME,), options={"g": "5"}),
    ],
    ids=["mkv", "webm", "ts"],
)
def test_damaged_file_every_lost_frame_is_counted(kind: Kind, tmp_path: Path) -> None:
    source = make(tmp_path, replace(kind, frames=40))
    content = bytearray(source.read_bytes())
    middle, length = len(content) // 2, min(3000, len(content) // 10)
    noise = np.random.default_rng(3).integers(0, 256, length, dtype=np.uint8)
    content[middle : middle + length] = noise.tobytes()
    source.write_bytes(content)
    report = _unmask(source, tmp_path / "out.mkv")
    lost = 40 - report.frames
    assert lost > 0
    (note,) = (warning for warning in report.warnings if "the input is damaged at" in warning)
    assert f"{lost} frames skipped" in note


def test_uneven_matroska_is_not_called_damaged(tmp_path: Path) -> None:
    steps = (33, 400, 34, 1200, 33)
    kind = Kind(suffix=".mkv", time_base=Fraction(1, 1000), steps=steps)
    assert not _unmask(make(tmp_path, kind), tmp_path / "out.mkv").warnings


@pytest.mark.parametrize(("paints", "tagged"), [(True, True), (False, False)])
def test_synthetic_tag_is_written_where_faces_were_filled(
    paints: bool, tagged: bool, tmp_path: Path
) -> None:
    source = write_video(tmp_path / "in.mp4", moving_images(4))
    _unmask(source, tmp_path / "out.mkv", paints=paints)
    assert ("synthetic" in read_packets(tmp_path / "out.mkv").tags.get("comment", "")) is tagged


def test_colon_in_a_relative_path_is_part_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = write_video(tmp_path / "a:b.mp4", moving_images(3))
    _unmask(Path("a:b.mp4"), Path("http:c.mp4"))
    assert read_facts(Path(tmp_path, "http:c.mp4")).shown_s == read_facts(source).shown_s


@pytest.mark.parametrize("exists", [True, False])
def test_output_link_stays_and_its_file_is_written(exists: bool, tmp_path: Path) -> None:
    source = write_video(tmp_path / "in.mp4", moving_images(3))
    (tmp_path / "disk").mkdir()
    file, link = tmp_path / "disk" / "film.mp4", tmp_path / "out.mp4"
    link.symlink_to(file)
    if exists:
        file.write_text("earlier")
    _unmask(source, link)
    assert link.is_symlink()
    assert file.stat().st_size > 1000
    assert sorted(path.name for path in file.parent.iterdir()) == ["film.mp4"]


def test_output_that_is_no_file_is_refused(tmp_path: Path) -> None:
    source = write_video(tmp_path / "in.mp4", moving_images(3))
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "loop.mp4").symlink_to(tmp_path / "loop.mp4")
    with pytest.raises(UserError, match="is not a file that can be replaced"):
        _unmask(source, tmp_path / "pipe.mp4")
    with pytest.raises(UserError, match="leads nowhere"):
        _unmask(source, tmp_path / "loop.mp4")


def test_report_over_a_file_of_the_user_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_video(tmp_path / "in.mp4", moving_images(3))
    thesis, link = tmp_path / "thesis.txt", tmp_path / "link.mp4"
    thesis.write_text("three years of work")
    link.symlink_to(source)
    before = source.read_bytes()
    assert run(["batch", str(source), "--out", str(tmp_path / "o"), "--report", str(link)]) == 2
    for report in (source, link, tmp_path / "out.mp4", thesis):
        command = ["video", str(source), str(tmp_path / "out.mp4"), "--report", str(report)]
        assert run(command) == 2
        assert str(report) in capsys.readouterr().err
    assert source.read_bytes() == before
    assert thesis.read_text() == "three years of work"
    assert not (tmp_path / "out.mp4").exists()


def _with_alpha(alphas: Iterable[NDArray[np.uint8]]) -> Iterator[av.VideoFrame]:
    for alpha, image in zip(alphas, moving_images(9), strict=False):
        yield av.VideoFrame.from_ndarray(np.dstack([image, alpha]), format="bgra")


def _write_bgra(path: Path, alphas: Iterable[int]) -> Path:
    """Write FFV1 with an alpha channel, a constant in each frame, as OpenCV's writer does."""
    planes = (np.full((64, 96), alpha, np.uint8) for alpha in alphas)
    return _write_frames(path, "ffv1", _with_alpha(planes), "bgra")


def test_opaque_alpha_is_left_out_with_a_note(tmp_path: Path) -> None:
    source = _write_bgra(tmp_path / "in.mkv", [255] * 4)
    report = _unmask(source, tmp_path / "out.mp4")
    assert "the alpha channel is opaque: left out" in report.warnings
    assert len(_shown_s(tmp_path / "out.mp4")) == 4


def test_transparency_in_a_late_frame_is_refused_or_dropped(tmp_path: Path) -> None:
    source = _write_bgra(tmp_path / "in.mkv", [255, 255, 255, 128])
    with pytest.raises(UserError, match=r"transparency.*--drop-alpha"):
        _unmask(source, tmp_path / "out.mp4")
    unmask_video(source, tmp_path / "out.mp4", StubUnmasker(), VideoOptions(drop_alpha=True))
    assert len(_shown_s(tmp_path / "out.mp4")) == 4


@pytest.mark.parametrize("codec", ["libvpx", "libvpx-vp9"])
def test_webm_transparency_is_kept_or_refused(codec: str, tmp_path: Path) -> None:
    alpha = np.tile(np.linspace(0, 255, 96).astype(np.uint8), (64, 1))
    source = _write_frames(
        tmp_path / "in.webm",
        codec,
        _with_alpha([alpha] * 3),
        "yuva420p",
        {"deadline": "realtime", "auto-alt-ref": "0"},
        {"alpha_mode": "1"},
    )
    with pytest.raises(UserError, match="transparency"):
        _unmask(source, tmp_path / "out.webm")
    options = VideoOptions(encoding=Encoding("ffv1"))
    unmask_video(source, tmp_path / "out.mkv", StubUnmasker(), options)
    with av.open(str(tmp_path / "out.mkv")) as file:
        frames = list(file.decode(video=0))
        assert "ALPHA_MODE" not in file.streams.video[0].metadata
    assert len(frames) == 3
    kept = frames[0].to_ndarray(format="rgba")[:, :, 3]
    assert np.abs(kept.astype(int) - alpha).mean() < 4


@pytest.mark.parametrize(
    ("suffix", "codec"), [(".mp4", "auto"), (".mkv", "auto"), (".mp4", "h264"), (".mkv", "ffv1")]
)
def test_hdr_metadata_is_kept_or_named(suffix: str, codec: str, tmp_path: Path) -> None:
    display = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"
    options = {"x265-params": f"log-level=none:master-display={display}:max-cll=1000,400"}
    kind = Kind(
        codec="libx265",
        pixel_format="yuv420p10le",
        color=(1, 9, 9, 16),
        frames=3,
        sounds=(),
        options=options,
    )
    source, target = make(tmp_path, kind), tmp_path / f"out{suffix}"
    unmask = VideoOptions(encoding=Encoding(codec))
    report = unmask_video(source, target, StubUnmasker(), unmask)
    found = []
    for path in (source, target):
        with av.open(str(path)) as file:
            found.append(HdrMetadata.of_frame(next(file.decode(video=0))))
    assert found[0] is not None
    assert found[0].light == (1000, 400)
    if codec == "ffv1":
        assert "ffv1 does not keep the HDR10 metadata" in report.warnings
    else:
        assert found[1] == found[0]
