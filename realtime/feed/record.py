"""The record of one face in one frame, as the feed gives it; its JSON is one line."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import Literal

import numpy as np
from numpy.typing import NDArray

SCHEMA_VERSION = 1
Event = Literal["face", "best_shot"]
"""face: one face in one frame. best_shot: the best crop of a track, once the track has ended."""
_DIGITS = {"pts_s": 6, "mask_coverage": 4, "sharpness": 4, "quality": 4, "embedding": 6}
_PIXEL_DIGITS = 2
_ARRAYS = ("crop_rgb", "crop_before_rgb")


@dataclass(frozen=True, eq=False, kw_only=True)
class FaceRecord:
    """One face in one frame. Every attribute but the two arrays is a key of its JSON.

    Attributes:
        schema_version: changes when a key changes its meaning or goes away.
        event: what the record stands for.
        key: the same for the same face of the same frame of the same source each time the feed runs, so
            that a receiver can leave out what it has.
        source: what was read, without passwords.
        frame_index: the number of the frame, from 0; in a folder, of the picture; live: as captured.
        pts_s: when the frame is shown, seconds of the source's clock; live: since the first frame.
        captured_at: live: when the frame came, UTC, ISO 8601; else None.
        dropped_frames: live: frames that were left out so far, because a newer one had come; else None.
        track_id: the number of the face, the same from frame to frame.
        box: bounding box: x0, y0, x1, y1, pixels of the upright frame.
        keypoints: five x and y, pixels: right eye, left eye, nose tip, right and left mouth corner.
        eye_distance_px: distance between the eyes, pixels of the frame.
        yaw_deg: how far the head is turned to its left, degrees, estimated.
        sharpness: of the eyes' region of `crop_before`, 0..1.
        quality: of the crop for recognition, 0..1: sharp, frontal and large; best shots have the highest.
        mask_coverage: share of the crop that is mask, 0..1.
        inpainted: whether the lower face in `crop` is invented.
        reference: whether a reference photograph of the person guided the fill.
        model: the generator.
        model_sha256: of its file.
        networks: SHA-256 of every network that ran, by name.
        crop, crop_before: paths of the PNG files of both crops, where a folder for crops is given.
        crop_png, crop_before_png: both crops as PNG in base64, where they are asked for.
        embedder_sha256: of the recogniser's file, where one is given.
        embedding, embedding_before: of both crops, of length 1, where a recogniser is given.
        embedding_periocular: of the region round the eyes alone, which no fill reaches.
        crop_rgb: uint8 [112, 112, 3], RGB, the finished frame's face, aligned to the five points of
            ArcFace; `crop_before_rgb` itself where not inpainted.
        crop_before_rgb: the same of the given frame.
    """

    schema_version: int = SCHEMA_VERSION
    event: Event = "face"
    key: str
    source: str
    frame_index: int
    pts_s: float
    captured_at: str | None = None
    dropped_frames: int | None = None
    track_id: int
    box: tuple[float, float, float, float]
    keypoints: tuple[tuple[float, float], ...]
    eye_distance_px: float
    yaw_deg: float
    sharpness: float
    quality: float
    mask_coverage: float
    inpainted: bool
    reference: bool = False
    model: str
    model_sha256: str
    networks: dict[str, str]
    crop: str | None = None
    crop_before: str | None = None
    crop_png: str | None = None
    crop_before_png: str | None = None
    embedder_sha256: str | None = None
    embedding: tuple[float, ...] | None = None
    embedding_before: tuple[float, ...] | None = None
    embedding_periocular: tuple[float, ...] | None = None
    crop_rgb: NDArray[np.uint8]
    crop_before_rgb: NDArray[np.uint8]

    def as_json(self) -> str:
        """Return the record as one line of JSON, without the arrays and without a line break."""
        return json.dumps(
            {
                field.name: _rounded(field.name, getattr(self, field.name))
                for field in fields(self)
                if field.name not in _ARRAYS
            }
        )


def _rounded(name: str, value: object) -> object:
    if isinstance(value, tuple):
        return [_rounded(name, part) for part in value]
    if isinstance(value, float):
        digits = _DIGITS.get("embedding" if name.startswith("embedding") else name, _PIXEL_DIGITS)
        return round(value, digits)
    return value
