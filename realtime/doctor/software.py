"""Software checks of `unmask doctor`: Python, models, weights, one frame, codecs, cache."""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from inpaint_model.errors import UserError
from inpaint_model.installation import reinstall_command, requirement
from realtime.doctor.check import Check

_OLDEST_PYTHON = (3, 11)


def python() -> Iterator[Check]:
    """Report the interpreter and the machine."""
    good = sys.version_info >= _OLDEST_PYTHON
    found = f"{platform.python_version()}, {platform.system()} {platform.machine()}, "
    found += f"{os.cpu_count()} cores"
    yield Check("python", "ok" if good else "bad", found, "" if good else "install 3.11 or newer")


def face_model(models_dir: Path | None) -> Iterator[Check]:
    """Find MediaPipe's face model by its SHA-256."""
    from inpaint_model.third_party import find_face_landmarker

    found = find_face_landmarker(models_dir)
    yield Check("face model", "ok", f"{found.path}, SHA-256 {found.sha256[:12]}, as pinned")


def weights(model: str) -> Iterator[Check]:
    """Look for the weights of our models."""
    from inpaint_model.artefacts import (
        SHIPPED_GENERATORS,
        find_face_aligner,
        find_generator,
        find_refiner,
        find_segmenter,
    )

    for name in dict.fromkeys([model, *SHIPPED_GENERATORS]):
        try:
            generator = find_generator(name)
        except UserError as error:
            state = "bad" if name == model else "note"
            fix = reinstall_command("--no-deps") if name in SHIPPED_GENERATORS else ""
            yield Check(f"model {name}", state, str(error), fix)
        else:
            found = f"{generator.path.name}, SHA-256 {generator.sha256[:12]}"
            yield Check(f"model {name}", "ok", found)
    ours = {
        "segmenter": find_segmenter(),
        "face aligner": find_face_aligner(),
        "refiner": find_refiner(),
    }
    for what, network in ours.items():
        yield Check(what, "ok", f"{network.path.name}, SHA-256 {network.sha256[:12]}")


def one_frame(model: str, models_dir: Path | None) -> Iterator[Check]:
    """Unmask the photograph in scikit-image; without that package, an empty picture."""
    import numpy as np

    from realtime.unmasker import Unmasker

    has_face = importlib.util.find_spec("skimage") is not None
    if has_face:
        import skimage.data

        frame_bgr = np.ascontiguousarray(skimage.data.astronaut()[:, :, ::-1])
    else:
        frame_bgr = np.full((512, 512, 3), 128, np.uint8)
    with Unmasker(model, "auto", 1, models_dir=models_dir) as unmasker:
        faces = unmasker(frame_bgr).faces
        engine = unmasker.inpainter.reason
        for warning in unmasker.inpainter.warnings:
            yield Check("engine", "note", warning)
    if bool(faces) == has_face:
        found = "a face is found" if has_face else "no face is found in an empty picture"
        yield Check("one frame", "ok", f"{found}, with {engine}")
    else:
        found = (
            "no face found in a photograph with one" if has_face else "a face in an empty picture"
        )
        yield Check("one frame", "bad", found, reinstall_command())


def codecs() -> Iterator[Check]:
    """Look for the H.264 encoder."""
    import av

    missing = {"libx264"} - av.codecs_available
    found = f"PyAV {av.__version__}, " + ("no libx264" if missing else "libx264")
    fix = (
        f"pip install --force-reinstall --only-binary :all: {requirement('av')}" if missing else ""
    )
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
