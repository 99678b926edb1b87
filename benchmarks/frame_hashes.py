"""Hashes what the unmasker makes of pictures and of a clip, to hold a rewrite to the same pixels."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.photographs.lists import pictures_in
from benchmarks.tables import Row, publish
from inpaint_model.errors import UserError
from realtime import Unmasker, UnmaskResult
from realtime.demo.clip import CameraPath, DemoClip
from realtime.media.reader import VideoReader
from realtime.synthetic import preset_style

Named = tuple[str, NDArray[np.uint8]]


def run(
    photos: Path | None,
    clip: Path | None,
    pictures: int,
    frames: int,
    keep: Path | None,
    against: Path | None,
    out: Path | None,
) -> list[Row]:
    """Hash every result; compare with an earlier run.

    Args:
        photos: folder of pictures; the demo's photograph in several masks where not given.
        clip: a video; the demo's clip where not given.
        pictures, frames: so many of each, at most.
        keep: file to write the hashes to, JSON.
        against: file of an earlier run; the table counts what differs from it.
        out: folder for the table's JSON.

    Raises:
        UserError: `against` cannot be read or holds other pictures.
    """
    before = _read(against)
    hashes = {"pictures": _of_pictures(photos, pictures), "clip": _of_clip(clip, frames)}
    if keep is not None:
        keep.write_text(json.dumps(hashes, indent=1) + "\n", encoding="utf-8")
    rows: list[Row] = [_row(name, found, before) for name, found in hashes.items()]
    publish("hashes", rows, out)
    return rows


def _row(name: str, found: dict[str, str], before: dict[str, dict[str, str]]) -> Row:
    whole = hashlib.sha256("".join(found.values()).encode()).hexdigest()
    row: dict[str, str | float | int] = {"what": name, "results": len(found), "hash": whole[:16]}
    if before:
        known = before.get(name, {})
        if known.keys() != found.keys():
            raise UserError(f"{name}: the earlier run was of other pictures")
        row["other than before"] = sum(known[key] != value for key, value in found.items())
    return row


def _of_pictures(folder: Path | None, count: int) -> dict[str, str]:
    with Unmasker(max_faces=8, mode="image") as unmasker:
        return {
            name: _hash(unmasker(image)) for name, image in islice(_pictures(folder, count), count)
        }


def _of_clip(path: Path | None, count: int) -> dict[str, str]:
    """Step a clip in one thread, as `unmask video` would decode it."""
    with Unmasker(max_faces=4, mode="video") as unmasker:
        return {
            name: _hash(unmasker(image, number / 25))
            for number, (name, image) in enumerate(islice(_frames(path), count))
        }


def _pictures(folder: Path | None, count: int) -> Iterator[Named]:
    if folder is not None:
        for path in pictures_in([folder], count):
            yield path.name, np.asarray(cv2.imread(str(path)), dtype=np.uint8)
        return
    for kind in ("surgical", "cloth", "n95", "kn95"):
        clip = DemoClip(path=CameraPath(seconds=count / 4 / 25), style=preset_style(kind))
        for number, image in enumerate(clip.masked_bgr()):
            yield f"{kind} {number}", image


def _frames(path: Path | None) -> Iterator[Named]:
    if path is None:
        for number, image in enumerate(DemoClip().masked_bgr()):
            yield str(number), image
        return
    with VideoReader(path) as file:
        for frame in file:
            yield str(frame.index), frame.image_bgr


def _hash(result: UnmaskResult) -> str:
    """Of the frame, the replaced pixels, and what is said of the faces."""
    digest = hashlib.sha256(result.frame.tobytes())
    digest.update(result.replaced.tobytes())
    for face in result.faces:
        digest.update(np.array([face.track_id, *face.box, face.mask_coverage]).tobytes())
        digest.update(face.crop_before.tobytes() + face.crop_after.tobytes())
    return digest.hexdigest()


def _read(path: Path | None) -> dict[str, dict[str, str]]:
    if path is None:
        return {}
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read ({error})") from None
