"""The doctor says what is wrong and how to fix it."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from inpaint_model.engines.cuda import driver as nvidia
from inpaint_model.engines.cuda.driver import Gpu, NvidiaState
from inpaint_model.errors import UserError
from inpaint_model.installation import Rival
from realtime.cli.app import run
from realtime.doctor import devices as doctor_devices
from realtime.doctor import packages as doctor_packages
from realtime.doctor import report as doctor
from realtime.doctor import software
from realtime.live import virtual_camera


def test_doctor_here_finds_what_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor"]) == 0
    text = capsys.readouterr().out
    for what in (
        "python",
        "packages",
        "opencv",
        "privacy",
        "face model",
        "engine openvino",
        "libx264",
        "one frame",
    ):
        assert what in text
    for what in ("gpu", "engine tensorrt", "camera", "display", "virtual camera", "cache"):
        assert f"\nnote {what} " in text or f"\nok   {what} " in text
    assert text.strip().endswith("pictures and videos can be unmasked")


@pytest.mark.parametrize(
    ("versions", "steps"),
    [
        (
            {"opencv-python": "5.0.0.93", "opencv-contrib-python": "5.1.0.94"},
            "pip install --force-reinstall --no-deps opencv-python==5.0.0.93 "
            "opencv-contrib-python==5.0.0.93",
        ),
        (
            {"opencv-python": "5.0.0.93", "opencv-python-headless": "4.8.1.78"},
            "pip uninstall -y opencv-python-headless\n"
            "pip install --force-reinstall --no-deps opencv-python==5.0.0.93",
        ),
    ],
)
def test_opencv_several_versions_is_bad(
    versions: dict[str, str], steps: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_packages, "_version", lambda package: versions.get(package, ""))
    monkeypatch.setattr(doctor_packages, "_owns_cv2", lambda package: True)
    check = next(doctor_packages.opencv())
    assert check.fatal
    assert check.fix == steps


def test_opencv_overwritten_without_windows_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        doctor_packages, "_version", lambda name: "" if "contrib" in name else "5.0"
    )
    monkeypatch.setattr(doctor_packages, "_owns_cv2", lambda name: name.endswith("headless"))
    check = next(doctor_packages.opencv())
    assert (check.state, check.found.split(":")[0]) == ("note", "no windows")
    assert check.fix.startswith("pip uninstall -y opencv-python-headless\n")


def test_opencv_missing_names_the_range(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_packages, "_version", lambda _: "")
    monkeypatch.setattr(doctor_packages, "requirement", lambda name: f'"{name}>=4.13"')
    check = next(doctor_packages.opencv())
    assert check.fatal and "cv2 of no package" in check.found
    assert check.fix == 'pip install --force-reinstall --no-deps "opencv-python>=4.13"'


@pytest.mark.parametrize(("package", "state"), [("realtime", "bad"), ("trainer", "note")])
def test_rivals_foreign_package_says_the_fix(
    package: str, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rival = Rival(package, ("other",), "/there", imported=True)
    monkeypatch.setattr(doctor_packages, "find_rival", {package: rival}.get)
    check = next(doctor_packages.rivals())
    assert (check.state, check.found) == (state, str(rival))
    assert check.fix.splitlines()[1] == "pip uninstall -y other"
    lines = doctor.table([check]).splitlines()
    assert f"-> {sys.executable} -m pip uninstall -y other" in lines[2]


def test_privacy_telemetry_that_is_on_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert next(doctor_packages.privacy()).state == "ok"
    monkeypatch.setenv("ORT_DISABLE_TELEMETRY", "0")
    assert "ONNX Runtime" in next(doctor_packages.privacy()).found
    monkeypatch.setitem(sys.modules, "openvino_telemetry", sys)
    assert next(doctor_packages.privacy()).state == "note"


def test_one_frame_without_photograph_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(software.importlib.util, "find_spec", lambda _: None)
    (check,) = software.one_frame("fast", None)
    assert check.state == "ok" and check.found.startswith("no face is found in an empty picture")


def test_examine_missing_library_says_the_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ImportError("libGL.so.1: cannot open shared object file")

    monkeypatch.setattr(doctor_packages, "opencv", broken)
    check = next(check for check in doctor.examine() if check.name == "opencv")
    assert check.fatal
    assert "libgl1" in check.fix


def test_doctor_wrong_face_model_exits_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "face_landmarker.task").write_text("not it")
    assert run(["doctor", "--models-dir", str(tmp_path)]) == 1
    assert "not the official" in capsys.readouterr().out


def test_opencv_without_owning_package_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    check = next(doctor_packages.opencv())
    assert check.state == "ok"
    assert "of opencv-" in check.found
    monkeypatch.setattr(doctor_packages, "_owns_cv2", lambda package: False)
    check = next(doctor_packages.opencv())
    assert check.fatal
    assert "of no package" in check.found and "--force-reinstall" in check.fix


def test_gpu_missing_says_the_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    card = Gpu("NVIDIA GeForce RTX 4090", (8, 9), "13.0", "580.65.06")
    monkeypatch.setattr(nvidia, "find_gpu", lambda: NvidiaState(card))
    check = next(doctor_devices.gpu())
    assert (check.state, check.fix) == ("ok", "")
    assert check.found == "NVIDIA GeForce RTX 4090 (sm_89), driver 580.65.06, CUDA up to 13.0"
    monkeypatch.setattr(nvidia, "find_gpu", lambda: NvidiaState(None, "shows no GPU", "look"))
    check = next(doctor_devices.gpu())
    assert (check.state, check.fix) == ("note", "look")


@pytest.mark.parametrize(("package", "module"), [(False, False), (True, False), (True, True)])
def test_virtual_camera_says_what_is_missing(
    package: bool, module: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(virtual_camera.sys, "platform", "linux")
    monkeypatch.setattr(virtual_camera.importlib.util, "find_spec", lambda _: package or None)
    monkeypatch.setattr(virtual_camera, "_LOOPBACK", tmp_path if module else tmp_path / "absent")
    check = next(doctor_devices.virtual_camera())
    with nullcontext() if package and module else pytest.raises(UserError, match="not "):
        virtual_camera.check_virtual_camera()
    assert (check.state == "ok") == (package and module)
    assert ("pip install pyvirtualcam" in check.fix) == (not package)
    assert ("modprobe v4l2loopback" in check.fix) == (not module)
