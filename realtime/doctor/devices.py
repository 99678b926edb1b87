"""Hardware checks of `unmask doctor`: GPU, engines, display, camera, virtual camera."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from inpaint_model.installation import requirement
from realtime.doctor.check import Check

# Where the system asks before a program may use a camera.
_CAMERA_PERMISSION = {
    "darwin": "System Settings, Privacy & Security, Camera: allow the terminal, and start it again",
    "win32": "Settings, Privacy & security, Camera: let desktop apps use the camera",
}


def gpu() -> Iterator[Check]:
    """Report the GPU that the NVIDIA driver shows."""
    from inpaint_model.engines.cuda.driver import find_gpu

    state = find_gpu()
    if state.gpu is None:
        yield Check("gpu", "note", f"{state.problem}: the CPU is used", state.mend)
    else:
        driver = f"driver {state.gpu.driver}, " if state.gpu.driver else ""
        yield Check("gpu", "ok", f"{state.gpu}, {driver}CUDA up to {state.gpu.cuda}")


def engines() -> Iterator[Check]:
    """Try every engine, in the order in which `auto` prefers them."""
    from inpaint_model import available_engines

    statuses = available_engines()
    for status in statuses:
        found = f"{status.version} {status.detail}".strip()
        yield Check(f"engine {status.name}", "ok" if status.usable else "note", found, status.mend)
    if not any(status.usable for status in statuses):
        yield Check("engines", "bad", "none works", f"pip install {requirement('openvino')}")


def display() -> Iterator[Check]:
    """Look for a display, without opening a window."""
    from realtime.live.sinks import find_display

    if name := find_display():
        yield Check("display", "ok", name)
    else:
        found = "none: windows cannot be shown; files work"
        yield Check("display", "note", found, "log in to a desktop, or ssh -X")


def camera() -> Iterator[Check]:
    """Look for a camera, without opening it: that would switch its light on."""
    if sys.platform != "linux":
        from realtime.capture.devices import list_cameras

        cameras = ", ".join(map(str, list_cameras()))
        fix = _CAMERA_PERMISSION.get(sys.platform, "plug one in")
        yield Check(
            "camera", "ok" if cameras else "note", cameras or "none", "" if cameras else fix
        )
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
    """Look for what a virtual camera needs."""
    from realtime.live.virtual_camera import missing_parts

    if missing := missing_parts():
        found, fix = " and ".join(missing), "\n".join(missing.values())
        yield Check("virtual camera", "note", found, fix)
    elif sys.platform == "linux":
        yield Check("virtual camera", "ok", "pyvirtualcam and v4l2loopback")
    else:
        yield Check("virtual camera", "ok", "pyvirtualcam; needs OBS Studio's virtual camera")
