"""Checks of the installed packages: names and modules that several packages share, and telemetry."""

from __future__ import annotations

import importlib.metadata
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from inpaint_model.installation import PACKAGES, find_rival, requirement
from realtime.doctor.check import Check

_OPENCV_PACKAGES = (
    "opencv-python",
    "opencv-contrib-python",
    "opencv-python-headless",
    "opencv-contrib-python-headless",
)
_OLDEST_OPENCV = [4, 13]  # of the range in pyproject.toml


def rivals() -> Iterator[Check]:
    """Check that no other project's package has the place, or shares the folder, of one of ours."""
    found = [rival for rival in map(find_rival, PACKAGES) if rival is not None]
    for rival in found:
        steps = ("install unmask-video into an environment of its own, or:", *rival.mends)
        state = "bad" if rival.imported and rival.package != "trainer" else "note"
        yield Check("packages", state, str(rival), "\n".join(steps))
    if not found:
        yield Check("packages", "ok", f"{', '.join(PACKAGES)} are ours")


def opencv() -> Iterator[Check]:
    """Check that all installed OpenCV packages have one version, and that one of them is complete.

    They all install the module cv2, so the last one overwrites the others.
    """
    found = {name: version for name in _OPENCV_PACKAGES if (version := _version(name))}
    listed = ", ".join(f"{name} {version}" for name, version in found.items()) or "none"
    owners = [name for name in found if _owns_cv2(name)]
    owned = f"cv2 of {' and '.join(owners) or 'no package'}; installed: {listed}"
    if owners and len({*found.values()}) == 1:
        import cv2

        if all(name.endswith("headless") for name in owners):
            yield Check("opencv", "note", f"no windows: {owned}", _one_version(found))
        else:
            yield Check("opencv", "ok", f"{cv2.__version__}, {owned}")
    else:
        yield Check("opencv", "bad", owned, _one_version(found))


def _one_version(found: dict[str, str]) -> str:
    """Return the steps to one version of all that are installed; the packages without windows go."""
    headless = [name for name in found if name.endswith("headless")]
    steps = [f"pip uninstall -y {' '.join(headless)}"] if headless else []
    oldest = min(
        (v for v in found.values() if _numbers(v) >= _OLDEST_OPENCV), key=_numbers, default=""
    )
    names = ["opencv-python", *(name for name in found if name == "opencv-contrib-python")]
    wanted = [f"{name}=={oldest}" if oldest else requirement(name) for name in names]
    return "\n".join([*steps, f"pip install --force-reinstall --no-deps {' '.join(wanted)}"])


def _numbers(version: str) -> list[int]:
    return [int(number) for number in version.split(".") if number.isdecimal()]


def _owns_cv2(package: str) -> bool:
    """Say whether the compiled module on disk is the one that this package installed."""
    for file in importlib.metadata.files(package) or ():
        if file.name.startswith("cv2") and file.suffix in (".so", ".pyd"):
            try:
                return file.size == Path(str(file.locate())).stat().st_size
            except OSError:
                return False
    return False


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def privacy() -> Iterator[Check]:
    """Check that the telemetry of the engines is switched off."""
    if sys.modules.get("openvino_telemetry") is not None:
        found = "OpenVINO was imported before this program, with its telemetry"
        yield Check("privacy", "note", found, "import inpaint_model before openvino")
    elif os.environ.get("ORT_DISABLE_TELEMETRY", "0") == "0":
        found = "ONNX Runtime may report to its makers"
        yield Check("privacy", "note", found, "set ORT_DISABLE_TELEMETRY to 1")
    else:
        found = (
            "no telemetry; it connects to the streams, receivers and clusters that you name alone"
        )
        yield Check("privacy", "ok", found)
