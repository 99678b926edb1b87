"""Software checks of `unmask doctor`: packages, models, weights, one frame, codecs, cache."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from inpaint_model.errors import UserError
from realtime.doctor.check import Check

_OPENCV_PACKAGES = (
    "opencv-python",
    "opencv-contrib-python",
    "opencv-python-headless",
    "opencv-contrib-python-headless",
)
_OLDEST_PYTHON = (3, 11)


def python() -> Iterator[Check]:
    """Report the interpreter and the machine."""
    good = sys.version_info >= _OLDEST_PYTHON
    found = f"{platform.python_version()}, {platform.system()} {platform.machine()}, "
    found += f"{os.cpu_count()} cores"
    yield Check("python", "ok" if good else "bad", found, "" if good else "install 3.11 or newer")


def opencv() -> Iterator[Check]:
    """Check that all installed OpenCV packages have one version.

    They all install the module cv2, so the last one overwrites the others.
    """
    found = {name: version for name in _OPENCV_PACKAGES if (version := _version(name))}
    listed = ", ".join(f"{name} {version}" for name, version in found.items()) or "none"
    import cv2

    versions = {*found.values()}
    same = len(versions) <= 1 and all(v.startswith(cv2.__version__) for v in versions)
    owners = [name for name in found if _owns_cv2(name)]
    fix = (
        f"pip uninstall -y {' '.join(found)}; "
        "pip install --force-reinstall -c constraints.txt unmask-video"
    )
    text = f"cv2 {cv2.__version__} of {' and '.join(owners) or 'no package'}; installed: {listed}"
    good = same and bool(owners)
    yield Check("opencv", "ok" if good else "bad", text, "" if good else fix)


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


def face_model(models_dir: Path | None) -> Iterator[Check]:
    """Find MediaPipe's face model by its SHA-256."""
    from inpaint_model.artefacts import find_face_landmarker

    found = find_face_landmarker(models_dir)
    yield Check("face model", "ok", f"{found.path}, SHA-256 {found.sha256[:12]}, as pinned")


def weights(model: str) -> Iterator[Check]:
    """Look for the weights of our models."""
    from inpaint_model.artefacts import (
        SHIPPED_GENERATORS,
        find_face_aligner,
        find_generator,
        find_segmenter,
    )

    for name in dict.fromkeys([model, *SHIPPED_GENERATORS]):
        try:
            generator = find_generator(name)
        except UserError as error:
            needed = name == model
            yield Check(f"model {name}", "bad" if needed else "note", str(error))
        else:
            found = f"{generator.path.name}, SHA-256 {generator.sha256[:12]}"
            yield Check(f"model {name}", "ok", found)
    for what, network in (("segmenter", find_segmenter()), ("face aligner", find_face_aligner())):
        yield Check(what, "ok", f"{network.path.name}, SHA-256 {network.sha256[:12]}")


def one_frame(model: str, models_dir: Path | None) -> Iterator[Check]:
    """Unmask the photograph in scikit-image."""
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


def codecs() -> Iterator[Check]:
    """Look for the H.264 encoder."""
    import av

    missing = {"libx264"} - av.codecs_available
    found = f"PyAV {av.__version__}, " + ("no libx264" if missing else "libx264")
    fix = "pip install --force-reinstall --only-binary av av" if missing else ""
    yield Check("video files", "bad" if missing else "ok", found, fix)


def cache() -> Iterator[Check]:
    """Check that compiled models can be cached, and count them."""
    from inpaint_model.cache import CACHE_VARIABLE, CompiledCache, cache_dir
    from inpaint_model.engines import ENGINE_NAMES

    folder = cache_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        found = f"{folder} cannot be written ({error.strerror}): every start compiles again"
        yield Check("cache", "note", found, f"name another folder in {CACHE_VARIABLE}")
    else:
        kept = [entry for name in ENGINE_NAMES for entry in CompiledCache(name).entries()]
        size = sum(entry.size_bytes for entry in kept) / 1e6
        yield Check("cache", "ok", f"{folder}: {len(kept)} compiled models, {size:.1f} MB")
