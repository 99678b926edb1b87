"""The doctor says what is wrong and how to mend it."""

from __future__ import annotations

from pathlib import Path

import pytest

from realtime import doctor
from realtime.cli import run


def test_here_everything_needed_works(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor"]) == 0
    text = capsys.readouterr().out
    for what in ("python", "opencv", "mediapipe", "engine openvino", "libx264", "one frame"):
        assert what in text
    assert text.strip().endswith("pictures and videos can be unmasked")


def test_opencv_packages_of_several_versions_are_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = {"opencv-python": "4.13.0.92", "opencv-contrib-python": "5.0.0.93"}
    monkeypatch.setattr(doctor, "_version", lambda package: versions.get(package, ""))
    check = next(doctor._opencv())
    assert check.fatal
    assert check.mend.startswith("pip uninstall -y opencv-python opencv-contrib-python")


def test_a_missing_system_library_has_its_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ImportError("libGL.so.1: cannot open shared object file")

    monkeypatch.setattr(doctor, "_opencv", broken)
    check = next(check for check in doctor.examine() if check.what == "opencv")
    assert check.fatal
    assert "libgl1" in check.mend


def test_a_wrong_face_model_fails_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "face_landmarker.task").write_text("not it")
    assert run(["doctor", "--models-dir", str(tmp_path)]) == 1
    assert "not the official" in capsys.readouterr().out
