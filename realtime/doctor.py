"""`unmask doctor`: what works on this machine, what does not, and the mend."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from inpaint_model.errors import UserError

State = Literal["ok", "note", "bad"]
_OPENCV_PACKAGES = (
    "opencv-python",
    "opencv-contrib-python",
    "opencv-python-headless",
    "opencv-contrib-python-headless",
)
_OLDEST_PYTHON = (3, 11)


@dataclass(frozen=True)
class Check:
    """One thing examined.

    Attributes:
        what: its name.
        state: "ok"; "note": works, or is not needed to unmask files; "bad": does not work.
        found: what was found.
        mend: what to do; empty where nothing is to be done.
    """

    what: str
    state: State
    found: str
    mend: str = ""

    @property
    def fatal(self) -> bool:
        """Whether pictures and videos cannot be unmasked because of it."""
        return self.state == "bad"


def examine(model: str = "fast", models_dir: Path | None = None) -> list[Check]:
    """Check everything; a check that fails itself is a bad one, never an exception.

    Args:
        model: the model whose weights are tried.
        models_dir: folder searched first for MediaPipe's model.
    """
    parts: list[tuple[str, Callable[[], Iterator[Check]]]] = [
        ("python", _python),
        ("opencv", _opencv),
        ("mediapipe", lambda: _mediapipe(models_dir)),
        ("engines", _engines),
        ("weights", lambda: _weights(model)),
        ("one frame", lambda: _one_frame(model, models_dir)),
        ("video files", _codecs),
        ("cache", _cache),
        ("display", _display),
        ("camera", _camera),
    ]
    checks: list[Check] = []
    for name, part in parts:
        try:
            checks += part()
        except UserError as error:
            checks.append(Check(name, "bad", str(error), "see the message"))
        except Exception as error:
            found = f"{type(error).__name__}: {error}".splitlines()[0]
            checks.append(Check(name, "bad", found, _mend_of(error)))
    return checks


def table(checks: list[Check]) -> str:
    """Lay the checks out in lines, the mend under what needs one, the verdict last."""
    width = max(len(check.what) for check in checks)
    marks = {"ok": "ok  ", "note": "note", "bad": "BAD "}
    lines = []
    for check in checks:
        lines.append(f"{marks[check.state]} {check.what:{width}}  {check.found}")
        if check.mend:
            lines.append(f"{'':{width + 5}}  -> {check.mend}")
    bad = sum(check.fatal for check in checks)
    verdict = (
        f"{bad} of {len(checks)} checks failed" if bad else "pictures and videos can be unmasked"
    )
    return "\n".join([*lines, "", verdict])


def _mend_of(error: Exception) -> str:
    text = str(error)
    if "libGL" in text or "libgthread" in text or "libEGL" in text or "libGLES" in text:
        return "apt-get install libgl1 libglib2.0-0 libegl1 libgles2 (Debian, Ubuntu)"
    if isinstance(error, ImportError):
        return "pip install --force-reinstall -c constraints.txt unmask-video"
    return "UNMASK_DEBUG=1 with the command that fails shows more"


def _python() -> Iterator[Check]:
    good = sys.version_info >= _OLDEST_PYTHON
    found = f"{platform.python_version()}, {platform.system()} {platform.machine()}, "
    found += f"{os.cpu_count()} cores"
    yield Check("python", "ok" if good else "bad", found, "" if good else "install 3.11 or newer")


def _opencv() -> Iterator[Check]:
    """Packages that all bring the module cv2 overwrite each other: one version, or it breaks."""
    found = {name: version for name in _OPENCV_PACKAGES if (version := _version(name))}
    listed = ", ".join(f"{name} {version}" for name, version in found.items()) or "none"
    import cv2

    versions = {*found.values()}
    same = len(versions) <= 1 and all(v.startswith(cv2.__version__) for v in versions)
    mend = f"pip uninstall -y {' '.join(found)}; then install again with constraints.txt"
    found_text = f"cv2 {cv2.__version__} from {listed}"
    yield Check("opencv", "ok" if same else "bad", found_text, "" if same else mend)


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _mediapipe(models_dir: Path | None) -> Iterator[Check]:
    from mediapipe.tasks.python import vision

    from realtime.model_files import face_landmarker_path

    assert vision.FaceLandmarker
    yield Check("mediapipe", "ok", _version("mediapipe"))
    path = face_landmarker_path(models_dir)
    yield Check("face model", "ok", f"{path} (SHA-256 as pinned)")


def _engines() -> Iterator[Check]:
    from inpaint_model import available_engines

    statuses = available_engines()
    for status in statuses:
        found = f"{status.version} {status.detail}".strip()
        yield Check(f"engine {status.name}", "ok" if status.usable else "note", found)
    if not any(status.usable for status in statuses):
        yield Check("engines", "bad", "none works", "pip install openvino onnxruntime")


def _weights(model: str) -> Iterator[Check]:
    from inpaint_model.artefacts import SHIPPED_MODELS, find_artefact

    for name in dict.fromkeys([model, *SHIPPED_MODELS]):
        try:
            path = find_artefact(name).path
        except UserError as error:
            needed = name == model
            yield Check(f"model {name}", "bad" if needed else "note", str(error))
        else:
            yield Check(f"model {name}", "ok", f"{path.name}, {path.stat().st_size / 1e6:.1f} MB")


def _one_frame(model: str, models_dir: Path | None) -> Iterator[Check]:
    """The whole line once, on the photograph in scikit-image."""
    import numpy as np
    import skimage.data

    from realtime.unmasker import Unmasker

    frame_bgr = np.ascontiguousarray(skimage.data.astronaut()[:, :, ::-1])
    with Unmasker(model, "auto", 1, models_dir=models_dir) as unmasker:
        faces = unmasker(frame_bgr).faces
        found = f"a face is found, with {unmasker.inpainter.reason}"
        for warning in unmasker.inpainter.warnings:
            yield Check("engine", "note", warning)
    if faces:
        yield Check("one frame", "ok", found)
    else:
        yield Check("one frame", "bad", "no face found in a photograph with one", "reinstall")


def _codecs() -> Iterator[Check]:
    import av

    missing = {"libx264"} - av.codecs_available
    found = f"PyAV {av.__version__}, " + ("no libx264" if missing else "libx264")
    mend = "pip install --force-reinstall --only-binary av av" if missing else ""
    yield Check("video files", "bad" if missing else "ok", found, mend)


def _cache() -> Iterator[Check]:
    from inpaint_model.cache import CACHE_VARIABLE, cache_dir

    folder = cache_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        found = f"{folder} cannot be written ({error.strerror}): every start compiles again"
        yield Check("cache", "note", found, f"name another folder in {CACHE_VARIABLE}")
    else:
        yield Check("cache", "ok", str(folder))


def _display() -> Iterator[Check]:
    shown = sys.platform in ("win32", "darwin")
    name = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if shown or name:
        yield Check("display", "ok", name or sys.platform)
    else:
        yield Check("display", "note", "none: windows cannot be shown; files work")


def _camera() -> Iterator[Check]:
    """Looked for, not opened: that would switch its light on."""
    if sys.platform != "linux":
        yield Check("camera", "note", "not looked for on this system")
        return
    devices = sorted(Path("/dev").glob("video*"))
    blocked = [device for device in devices if not os.access(device, os.R_OK | os.W_OK)]
    if not devices:
        yield Check("camera", "note", "none at /dev/video*; files work")
    elif blocked:
        found = f"{', '.join(map(str, blocked))} may not be opened"
        yield Check("camera", "note", found, "add yourself to the group video and log in again")
    else:
        yield Check("camera", "ok", ", ".join(map(str, devices)))
