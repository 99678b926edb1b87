"""Everything wrong one can hand to the commands: one clear line, exit code 2, nothing left behind."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.cli.app import run
from tests.realtime.making_media import moving_images, write_video


class Commands:
    """Runs commands in one folder and says what came of it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys

    def refused(self, *arguments: str | Path) -> str:
        """Run what must end with code 2 and change no file; return its line."""
        before = {path: path.stat().st_mtime_ns for path in self.folder.rglob("*")}
        self._capsys.readouterr()
        status = run([str(argument) for argument in arguments])
        lines = self._capsys.readouterr().err.strip().splitlines()
        after = {path: path.stat().st_mtime_ns for path in self.folder.rglob("*")}
        assert status == 2
        assert after == before
        errors = [line for line in lines if line.startswith("unmask: error: ")]
        assert len(errors) == 1
        assert lines[-1] == errors[0]
        assert not any("Traceback" in line for line in lines)
        return errors[0]

    def refused_at_once(self, *arguments: str | Path) -> str:
        """Run what must end as `refused` says, before any model is loaded; return its line."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("realtime.unmasker.open_inpainter", None)
            return self.refused(*arguments)


@pytest.fixture
def commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Commands:
    return Commands(tmp_path, capsys)


@pytest.mark.parametrize("command", ["video", "image"])
def test_input_that_is_no_picture_or_video_is_refused(commands: Commands, command: str) -> None:
    suffix = ".mp4" if command == "video" else ".png"
    source, target = commands.folder / f"in{suffix}", commands.folder / f"out{suffix}"
    assert "no such file" in commands.refused(command, source, target)
    source.touch()
    assert "is empty" in commands.refused(command, source, target)
    source.write_text("This is not what its name says.\n" * 50)
    assert "can be read" in commands.refused(command, source, target)
    assert "is not a file" in commands.refused(command, commands.folder, target)


def test_file_name_with_escape_sequences_is_shown_escaped(commands: Commands) -> None:
    name = "a\x1b[31m\x1b]0;title\x07.png"
    line = commands.refused("image", commands.folder / name, commands.folder / "o.png")
    assert r"a\x1b[31m\x1b]0;title\x07.png: no such file" in line
    assert line.isprintable()


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_truncated_video_is_refused(commands: Commands, suffix: str) -> None:
    whole = write_video(commands.folder / f"whole{suffix}", moving_images(20), sound_s=0.5)
    content = whole.read_bytes()
    cut = commands.folder / f"cut{suffix}"
    for share in (0.02, 0.3, 0.9):
        cut.write_bytes(content[: int(len(content) * share)])
        assert str(cut) in commands.refused("video", cut, commands.folder / "out.mp4")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tiff"])
def test_truncated_picture_is_refused(commands: Commands, suffix: str) -> None:
    image = next(moving_images(1, (200, 160)))
    content = cv2.imencode(suffix, image)[1].tobytes()
    cut = commands.folder / f"cut{suffix}"
    for share in (0.1, 0.6):
        cut.write_bytes(content[: int(len(content) * share)])
        assert str(cut) in commands.refused("image", cut, commands.folder / "out.png")


def test_video_with_damage_inside_is_one_line(commands: Commands) -> None:
    whole = write_video(commands.folder / "whole.mp4", moving_images(20))
    content = bytearray(whole.read_bytes())
    at = content.index(b"mdat") + 400
    content[at : at + 600] = bytes(600)
    broken = commands.folder / "broken.mp4"
    broken.write_bytes(content)
    assert str(broken) in commands.refused("video", broken, commands.folder / "out.mp4")


def test_picture_to_video_command_and_reverse_is_refused(commands: Commands) -> None:
    picture = commands.folder / "a.png"
    cv2.imwrite(str(picture), next(moving_images(1)))
    target = commands.folder / "out.mp4"
    assert "use `unmask image`" in commands.refused("video", picture, target)
    renamed = commands.folder / "a.mp4"
    renamed.write_bytes(picture.read_bytes())
    assert "use `unmask image`" in commands.refused("video", renamed, target)
    assert "use `unmask image`" in commands.refused("video", picture, commands.folder / "out.png")
    video = write_video(commands.folder / "v.mp4", moving_images(2))
    for name in ("out.png", "out.mp4"):
        line = commands.refused_at_once("image", video, commands.folder / name)
        assert "is a video; use `unmask video`" in line


def test_many_files_to_a_command_of_one_names_batch(commands: Commands) -> None:
    names = [commands.folder / name for name in ("a.jpg", "b.jpg", "c.jpg", "out")]
    for command in ("image", "video"):
        assert "`unmask batch INPUT... --out DIR`" in commands.refused(command, *names)
        line = commands.refused(command, commands.folder, commands.folder / "out.png")
        assert "`unmask batch` takes folders" in line
    assert "--source names the camera" in commands.refused("live", "clip.mp4")


def test_output_path_that_cannot_work_is_refused(commands: Commands) -> None:
    source = write_video(commands.folder / "in.mp4", moving_images(3))
    folder = commands.folder
    assert "folder does not exist" in commands.refused("video", source, folder / "no" / "out.mp4")
    assert "is the input" in commands.refused("video", source, source, "--overwrite")
    assert "name an .mp4" in commands.refused("video", source, folder / "out.txt")
    assert "name an .mp4" in commands.refused("video", source, folder / "out")
    (folder / "there.mp4").write_text("mine")
    assert "--overwrite" in commands.refused("video", source, folder / "there.mp4")
    (folder / "folder.mp4").mkdir()
    assert "is a folder" in commands.refused("video", source, folder / "folder.mp4", "--overwrite")
    assert "does not exist" in commands.refused("video", source, source / "out.mp4")


def test_output_folder_without_write_access_is_refused(commands: Commands) -> None:
    source = write_video(commands.folder / "in.mp4", moving_images(3))
    target = Path("/proc/out.mp4")
    if not target.parent.is_dir():
        pytest.skip("there is no folder here that nobody can write to")
    assert "cannot be written" in commands.refused("video", source, target)


def test_wrong_use_is_one_line(commands: Commands) -> None:
    source = write_video(commands.folder / "in.mp4", moving_images(3))
    target = commands.folder / "out.mp4"
    assert "OUTPUT" in commands.refused("video", source)
    assert "--no-such" in commands.refused("video", source, target, "--no-such")
    line = commands.refused("video", source, target, "--engine", "abacus")
    assert "Invalid value for '--engine': 'abacus' is not one of 'auto', " in line
    assert "--max-faces" in commands.refused("video", source, target, "--max-faces", "0")
    assert "unknown model" in commands.refused("video", source, target, "--model", "wrong")
    out = commands.folder / "out"
    assert "unknown model" in commands.refused("batch", source, "--out", out, "--model", "wrong")
    line = commands.refused_at_once("demo", "--out", source)
    assert "the folder cannot be made" in line
    line = commands.refused_at_once("video", source, target, "--models-dir", "nowhere")
    assert "nowhere: the models folder does not exist" in line
    assert "no such model file" in commands.refused("video", source, target, "--model", "no.onnx")
    assert "wrong" in commands.refused("wrong")


def test_options_that_no_video_can_meet_are_refused(commands: Commands) -> None:
    source = write_video(commands.folder / "in.mp4", moving_images(3))
    target = commands.folder / "out.mp4"
    assert "prores needs a .mov or .mkv file" in commands.refused(
        "video", source, target, "--codec", "prores"
    )
    for options in (
        ("--codec", "h264", "--crf", "60"),
        ("--codec", "AVC", "--crf", "52"),
        ("--crf", "52"),
        ("--crf", "99"),
        ("--crf", "-1"),
    ):
        line = commands.refused_at_once("video", source, target, *options)
        assert "h264 goes from 0 to 51" in line
    line = commands.refused_at_once("video", source, target, "--codec", "h265", "--crf", "52")
    assert "hevc goes from 0 to 51" in line
    webm = commands.folder / "out.webm"
    line = commands.refused_at_once("video", source, webm, "--crf", "64")
    assert "vp9 goes from 0 to 63" in line
    out = commands.folder / "out"
    line = commands.refused_at_once("batch", source, "--out", out, "--codec", "avc", "--crf", "52")
    assert "h264 goes from 0 to 51" in line
    assert "is not a time such as" in commands.refused("video", source, target, "--start", "soon")
    assert "later than --start" in commands.refused(
        "video", source, target, "--start", "0:02", "--end", "1"
    )
    line = commands.refused_at_once("video", source, target, "--start", "9")
    assert "between --start and --end" in line


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".avi"])
def test_start_after_the_picture_in_the_sound_is_refused_at_once(
    commands: Commands, suffix: str
) -> None:
    source = write_video(commands.folder / f"in{suffix}", moving_images(25), sound_s=3.0)
    target = commands.folder / "out.mp4"
    line = commands.refused_at_once("video", source, target, "--start", "2")
    assert "no frame of it between --start and --end" in line


def test_part_within_one_long_frame_is_refused_at_once(commands: Commands) -> None:
    steps = [*[512] * 9, 12_800 * 4, 512]  # the tenth picture stays for four seconds
    source = commands.folder / "in.mp4"
    write_video(source, moving_images(11), steps=steps, sound_s=4.5)
    target = commands.folder / "out.mp4"
    line = commands.refused_at_once("video", source, target, "--start", "1", "--end", "2")
    assert "no frame of it between --start and --end" in line


def test_named_engine_that_cannot_run_is_an_error(commands: Commands) -> None:
    source = write_video(commands.folder / "in.mp4", moving_images(3))
    line = commands.refused("video", source, commands.folder / "o.mp4", "--engine", "tensorrt")
    assert "tensorrt cannot run" in line


def test_wrong_model_folder_is_refused(
    commands: Commands, astronaut_rgb: NDArray[np.uint8]
) -> None:
    source = commands.folder / "in.png"
    cv2.imwrite(str(source), astronaut_rgb[:, :, ::-1])
    (commands.folder / "face_landmarker.task").write_text("not it")
    target = commands.folder / "out.png"
    line = commands.refused("image", source, target, "--models-dir", commands.folder)
    assert "is not the official face_landmarker.task" in line


def test_report_path_that_cannot_be_written_is_refused(commands: Commands) -> None:
    source = write_video(commands.folder / "in.mp4", moving_images(3))
    report = commands.folder / "no" / "report.json"
    line = commands.refused("video", source, commands.folder / "out.mp4", "--report", report)
    assert "report's folder does not exist" in line
