"""A clip of a face in a mask, a folder of pictures, and the check of the feed's lines."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import cv2
import jsonschema

from realtime.demo.clip import CameraPath, DemoClip
from tests.realtime.making_media import write_video

Check = Callable[[str], dict[str, object]]
"""Checks a line against the schema in the package, and returns its values."""
FRAMES = 12


def write_masked_clip(folder: Path) -> Path:
    """Twelve frames of a face that wears a mask."""
    clip = DemoClip(path=CameraPath(side=256, seconds=FRAMES / 25, zoom=(0.9, 1.0)))
    return write_video(folder / "in.mp4", clip.masked_bgr())


def write_pictures(folder: Path) -> Path:
    """One picture of a masked face, one of a bare one, one that is broken, and a text."""
    clip = DemoClip(path=CameraPath(side=256, seconds=0.04, zoom=(0.9, 1.0)))
    cv2.imwrite(str(folder / "1_masked.png"), clip.masked_rgb(0)[:, :, ::-1])
    cv2.imwrite(str(folder / "2_bare.png"), clip.truth_rgb(0)[:, :, ::-1])
    (folder / "3_broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno picture")
    (folder / "4_other.txt").write_text("no picture")
    return folder


def line_check() -> Check:
    """The check, with the schema that the package holds."""
    schema = json.loads((files("realtime.feed") / "face_record.schema.json").read_text())
    validator = jsonschema.Draft202012Validator(
        schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )

    def check(line: str) -> dict[str, object]:
        values = json.loads(line)
        validator.validate(values)
        return values

    return check
