"""The file pipeline: nothing lost, nothing left behind, nothing stuck."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import av
import pytest

from inpaint_model.errors import UserError
from realtime.media.atomic_file import atomic_write
from realtime.media.decoder import Decoder
from realtime.media.frames import Frame
from realtime.media.report_file import keep_face_records, write_report
from realtime.video.file import VideoOptions, unmask_video
from tests.realtime.making_media import StubUnmasker, moving_images, write_video


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_video(tmp_path / "in.mp4", moving_images(30))


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_report_has_every_figure(source: Path, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    with keep_face_records(path) as records:
        done = unmask_video(source, tmp_path / "out.mp4", StubUnmasker(faces=2), on_record=records)
        write_report(path, asdict(done), records)
    assert _names(tmp_path) == ["in.mp4", "out.mp4", "report.json"]
    report = json.loads(path.read_text())
    assert report["outcome"] == "unmasked"
    assert len(report["face_records"]) == 60
    assert [record["frame_index"] for record in report["face_records"][::2]] == list(range(30))
    assert report["face_records"][-1] == {
        "frame_index": 29,
        "pts_s": pytest.approx(29 / 25),
        "track_id": 0,
        "box": [0, 0, 1, 1],
        "keypoints": [[0, 0]] * 5,
        "mask_coverage": 0.3,
        "inpainted": True,
    }
    assert (report["frames"], report["faces"], report["masked_faces"]) == (30, 60, 60)
    assert report["fps"] > 0
    assert list(report["stages"]) == ["decode", "detect_and_track", "encode"]
    assert report["stages"]["encode"]["p50_ms"] <= report["stages"]["encode"]["p95_ms"]
    assert report["synthetic"] is True
    assert {"dropped_frames", "model", "model_sha256", "engine", "warnings"} <= report.keys()


@pytest.mark.parametrize("resume", [False, True])
def test_run_opens_source_three_times_and_decodes_once(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, resume: bool
) -> None:
    opened: list[str] = []
    decoders: list[Decoder] = []
    av_open, decode = av.open, Decoder.frames

    def counting_open(file: object, *arguments: Any, **options: Any) -> object:
        if file == str(source):
            opened.append(str(file))
        return av_open(file, *arguments, **options)

    def counting_decode(decoder: Decoder) -> Iterator[Frame]:
        decoders.append(decoder)
        return decode(decoder)

    monkeypatch.setattr(av, "open", counting_open)
    monkeypatch.setattr(Decoder, "frames", counting_decode)
    unmask_video(source, tmp_path / "out.mp4", StubUnmasker(), VideoOptions(resume=resume))
    assert (
        len(opened) == 3
    )  # for checks and frames, for the trial of what is copied, and to copy it
    assert len(decoders) == 1


def test_progress_is_called_for_every_frame(source: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    unmask_video(
        source, tmp_path / "out.mp4", StubUnmasker(), progress=lambda *now: told.append(now)
    )
    assert told == [(n, 30) for n in range(1, 31)]


def test_video_without_masks_is_a_copy_of_the_input(source: Path, tmp_path: Path) -> None:
    done = unmask_video(source, tmp_path / "out.mp4", StubUnmasker(paints=False))
    assert (tmp_path / "out.mp4").read_bytes() == source.read_bytes()
    assert done.warnings == ["no mask found: the output is a copy of the input"]
    assert done.outcome == "no mask"
    assert not done.synthetic


def test_video_without_faces_is_a_copy_of_the_input(source: Path, tmp_path: Path) -> None:
    done = unmask_video(source, tmp_path / "out.mp4", StubUnmasker(faces=0))
    assert (tmp_path / "out.mp4").read_bytes() == source.read_bytes()
    assert (done.outcome, done.frames, done.faces) == ("no face", 30, 0)
    assert done.warnings == ["no face found: the output is a copy of the input"]


@pytest.mark.parametrize("paints", [True, False])
def test_video_of_a_private_source_is_private(paints: bool, source: Path, tmp_path: Path) -> None:
    source.chmod(0o600)
    unmask_video(source, tmp_path / "out.mp4", StubUnmasker(paints=paints))
    assert (tmp_path / "out.mp4").stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("no_thread_is_left")
@pytest.mark.parametrize("fails_at", [0, 17])
def test_failing_unmasker_ends_the_run_and_leaves_no_file(
    source: Path, tmp_path: Path, fails_at: int
) -> None:
    with pytest.raises(RuntimeError, match="the stub fails here"):
        unmask_video(source, tmp_path / "out.mp4", StubUnmasker(fails_at=fails_at))
    assert _names(tmp_path) == ["in.mp4"]


def test_failed_run_keeps_the_earlier_output(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    target.write_text("earlier")
    with pytest.raises(UserError, match="exists already"):
        unmask_video(source, target, StubUnmasker())
    with pytest.raises(RuntimeError):
        unmask_video(source, target, StubUnmasker(fails_at=9), VideoOptions(overwrite=True))
    assert target.read_text() == "earlier"
    unmask_video(source, target, StubUnmasker(), VideoOptions(overwrite=True))
    assert target.stat().st_size > 1000


def test_video_input_as_output_is_refused(source: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.mp4"
    link.symlink_to(source)
    for target in (source, link):
        with pytest.raises(UserError, match="the output is the input"):
            unmask_video(source, target, StubUnmasker(), VideoOptions(overwrite=True))


def test_atomic_write_leaves_umask_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "usual").touch()
    monkeypatch.delattr(os, "umask")  # it is the process's: other threads make files meanwhile
    with atomic_write(tmp_path / "out", overwrite=False) as temporary:
        temporary.write_text("whole")
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_ctrl_c_removes_the_temporary_file(tmp_path: Path) -> None:
    with (
        pytest.raises(KeyboardInterrupt),
        atomic_write(tmp_path / "out", overwrite=False) as temporary,
    ):
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert _names(tmp_path) == []
