"""Photographs of people as the feed gives them: bare, wearing a rendered mask, and unmasked again."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from inpaint_model.errors import UserError
from realtime import Unmasker
from realtime.detect.face_finder import FaceFinder
from realtime.feed.aligned_crop import aligned_crop
from realtime.feed.masked_points import MaskedPoints
from realtime.frames import Face, FaceResult
from realtime.synthetic import MaskStyle, load_templates, random_style, render_mask
from realtime.synthetic.pose import fit_pose
from trainer.data.photographs import Photo, find_photos

Picture = NDArray[np.uint8]
OwnDetector = Callable[[Picture, NDArray[np.float64]], bool]
"""Whether a recogniser's own detector finds, in a picture, uint8 [H, W, 3] RGB, the face round a point."""


@dataclass
class People:
    """What was seen of all photographs: lists with an entry a photograph, or `masked_`, an entry a mask.

    Attributes:
        names: the person's name.
        bare_crops: aligned crops, uint8 [112, 112, 3] RGB.
        masked_photos: number of the photograph.
        masked_crops, masked_filled_crops: aligned crops of the masked and of the finished picture.
        masked_coverage: share of the aligned crop that the rendered mask covers.
        masked_yaw_deg: by how much the head is turned.
        masked_inpainted: whether the product filled the mask.
        found: by kind of picture, whether dlib's detector finds the face, an entry a picture.
        left_out: photographs and masks in which the product finds no face.
    """

    names: list[str] = field(default_factory=list)
    bare_crops: list[Picture] = field(default_factory=list)
    masked_photos: list[int] = field(default_factory=list)
    masked_crops: list[Picture] = field(default_factory=list)
    masked_filled_crops: list[Picture] = field(default_factory=list)
    masked_coverage: list[float] = field(default_factory=list)
    masked_yaw_deg: list[float] = field(default_factory=list)
    masked_inpainted: list[bool] = field(default_factory=list)
    found: dict[str, list[bool]] = field(
        default_factory=lambda: {"bare": [], "masked": [], "unmasked": []}
    )
    left_out: int = 0


def photographs(folder: Path, manifest: Path | None, split: str, limit: int) -> list[Photo]:
    """List the photographs of named people; those of people with several come first, up to the limit.

    Args:
        folder: of photographs, `Name/Name_0001.jpg`, or `Name/*.jpg` where `split` is "all".
        manifest: CSV path,source,split,identity, or None.
        split: "val", "train" or "all".
        limit: at most so many; 0: all.

    Raises:
        UserError: no person has two photographs, or there is one person alone.
    """
    found = [photo for photo in find_photos(folder, manifest) if split in (photo.split, "all")]
    by_person: dict[str, list[Photo]] = {}
    for photo in found:
        by_person.setdefault(photo.identity or photo.path.parent.name, []).append(photo)
    groups = sorted(by_person.items(), key=lambda pair: (len(pair[1]) < 2, pair[0]))
    chosen = [photo for _, group in groups for photo in group][: limit or None]
    names = [person_of(photo) for photo in chosen]
    if len(set(names)) in (1, len(names)):
        raise UserError(f"{folder}: needs several people ({split}), some with two photographs")
    return chosen


def person_of(photo: Photo) -> str:
    """The person's name: as listed, else that of the folder."""
    return photo.identity or photo.path.parent.name


class Maker:
    """Shows photographs to the product, bare and masked.

    Args:
        unmasker: in mode "image".
        templates: folder of mask drawings, or None.
        masks: masks a photograph.
        detector: dlib's own, or None.
        seed: of the masks.
    """

    def __init__(
        self,
        unmasker: Unmasker,
        templates: Path | None,
        masks: int,
        detector: OwnDetector | None,
        seed: int,
    ) -> None:
        self._unmasker, self._masks, self._detector = unmasker, masks, detector
        self._drawings = load_templates(templates) if templates else []
        self._seed = seed

    def __call__(self, photos: Sequence[Photo]) -> People:
        """Take the crops of all photographs.

        Raises:
            UserError: a photograph cannot be read.
        """
        people = People()
        with FaceFinder() as finder, MaskedPoints() as points:
            for number, photo in enumerate(track(photos, "photographs")):
                bare_bgr = cv2.imread(str(photo.path))
                if bare_bgr is None:
                    raise UserError(f"{photo.path}: cannot be read as a picture")
                bare_bgr = np.asarray(bare_bgr, np.uint8)
                face = finder.portrait(bare_bgr)
                if face is None or face.landmarks is None:
                    people.left_out += 1
                else:
                    # Each photograph has its own masks, whichever others are left out.
                    rng = np.random.default_rng([self._seed, number])
                    styles = [random_style(rng, self._drawings) for _ in range(self._masks)]
                    self._add(people, person_of(photo), bare_bgr, face, styles, points)
        return people

    def _add(
        self,
        people: People,
        name: str,
        bare_bgr: Picture,
        face: Face,
        styles: Sequence[MaskStyle],
        points: MaskedPoints,
    ) -> None:
        """Add a photograph, and each mask in which its face is found."""
        bare = _nearest(self._unmasker(bare_bgr).faces, face)
        if bare is None:
            people.left_out += 1
            return
        people.names.append(name)
        people.bare_crops.append(aligned_crop(bare_bgr, bare.keypoints))
        self._detect(people, "bare", bare_bgr, face)
        for style in styles:
            self._add_mask(people, bare_bgr, face, style, points)

    def _add_mask(
        self,
        people: People,
        bare_bgr: Picture,
        face: Face,
        style: MaskStyle,
        points: MaskedPoints,
    ) -> None:
        assert face.landmarks is not None
        bare_rgb = np.ascontiguousarray(bare_bgr[:, :, ::-1])
        worn = render_mask(bare_rgb, face.landmarks, style)
        masked_bgr = np.ascontiguousarray(worn.image_rgb[:, :, ::-1])
        result = self._unmasker(masked_bgr)
        seen = _nearest(result.faces, face)
        if seen is None:
            people.left_out += 1
            return
        keypoints = points(result.frame, seen)
        people.masked_photos.append(len(people.names) - 1)
        people.masked_crops.append(aligned_crop(masked_bgr, keypoints))
        people.masked_filled_crops.append(aligned_crop(result.frame, keypoints))
        alpha = aligned_crop(np.repeat(worn.alpha[..., None], 3, 2), face.keypoints)
        people.masked_coverage.append(float(alpha.mean() / 255))
        people.masked_yaw_deg.append(abs(math.degrees(fit_pose(face.landmarks).yaw)))
        people.masked_inpainted.append(seen.inpainted)
        self._detect(people, "masked", masked_bgr, face)
        self._detect(people, "unmasked", result.frame, face)

    def _detect(self, people: People, kind: str, picture_bgr: Picture, face: Face) -> None:
        if self._detector is not None:
            picture_rgb = np.ascontiguousarray(picture_bgr[:, :, ::-1])
            people.found[kind].append(self._detector(picture_rgb, face.keypoints.mean(0)))


def _nearest(faces: Sequence[FaceResult], true: Face) -> FaceResult | None:
    """The face whose eyes are nearest to the true ones; None where all are off by half their distance."""
    right, left = true.keypoints[:2]
    most = float(np.hypot(*(left - right))) / 2
    offs = [float(np.hypot(*(face.keypoints[:2] - [right, left]).mean(0))) for face in faces]
    near = min(range(len(offs)), key=offs.__getitem__, default=None)
    return faces[near] if near is not None and offs[near] <= most else None


def dlib_detector() -> OwnDetector:
    """dlib's frontal face detector (HOG), which finds faces of 40 px and more when enlarged once."""
    dlib: Any = importlib.import_module("dlib")
    find = dlib.get_frontal_face_detector()

    def finds(picture_rgb: Picture, point: NDArray[np.float64]) -> bool:
        at = dlib.point(*(round(float(part)) for part in point))
        return any(box.contains(at) for box in find(picture_rgb, 1))

    return finds
