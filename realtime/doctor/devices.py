"""What `unmask doctor` checks of the machine: GPU and engines, display, camera, virtual camera."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from realtime.doctor.check import Check

_LOOPBACK = Path("/sys/module/v4l2loopback")
_LOOPBACK_MEND = (
    "apt-get install v4l2loopback-dkms && modprobe v4l2loopback exclusive_caps=1 "
    "card_label=unmask (Debian, Ubuntu)"
)


def gpu() -> Iterator[Check]:
    """Say what the NVIDIA driver shows."""
    from inpaint_model.engines.cuda.driver import find_gpu

    state = find_gpu()
    if state.gpu is None:
        yield Check("gpu", "note", f"{state.problem}: the CPU is used", state.mend)
    else:
        driver = f"driver {state.gpu.driver}, " if state.gpu.driver else ""
        yield Check("gpu", "ok", f"{state.gpu}, {driver}CUDA up to {state.gpu.cuda}")


def engines() -> Iterator[Check]:
    """Try every engine, and say which `auto` takes first."""
    from inpaint_model import available_engines

    statuses = available_engines()
    for status in statuses:
        found = f"{status.version} {status.detail}".strip()
        yield Check(f"engine {status.name}", "ok" if status.usable else "note", found, status.mend)
    if not any(status.usable for status in statuses):
        yield Check("engines", "bad", "none works", "pip install openvino onnxruntime")


def display() -> Iterator[Check]:
    """Look for a screen, without opening a window."""
    shown = sys.platform in ("win32", "darwin")
    name = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if shown or name:
        yield Check("display", "ok", name or sys.platform)
    else:
        found = "none: windows cannot be shown; files work"
        yield Check("display", "note", found, "log in to a desktop, or ssh -X")


def camera() -> Iterator[Check]:
    """Look for a camera, without opening it: that would switch its light on."""
    if sys.platform != "linux":
        yield Check("camera", "note", "not looked for on this system")
        return
    devices = sorted(Path("/dev").glob("video*"))
    blocked = [device for device in devices if not os.access(device, os.R_OK | os.W_OK)]
    if not devices:
        yield Check("camera", "note", "none at /dev/video*; files work", "plug one in")
    elif blocked:
        found = f"{', '.join(map(str, blocked))} may not be opened"
        yield Check("camera", "note", found, "usermod -aG video $USER, and log in again")
    else:
        yield Check("camera", "ok", ", ".join(map(str, devices)))


def virtual_camera() -> Iterator[Check]:
    """Look for what shows our picture to other programs as a camera."""
    package = importlib.util.find_spec("pyvirtualcam") is not None
    device = sys.platform != "linux" or _LOOPBACK.is_dir()
    missing, mends = [], []
    if not package:
        missing.append("pyvirtualcam is not installed")
        mends.append("pip install pyvirtualcam")
    if not device:
        missing.append("v4l2loopback is not loaded")
        mends.append(_LOOPBACK_MEND)
    if missing:
        yield Check("virtual camera", "note", " and ".join(missing), "; ".join(mends))
    elif sys.platform == "linux":
        yield Check("virtual camera", "ok", "pyvirtualcam and v4l2loopback")
    else:
        yield Check("virtual camera", "ok", "pyvirtualcam; needs OBS Studio's virtual camera")
