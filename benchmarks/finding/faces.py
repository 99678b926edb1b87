"""Photographs of single people, bare and wearing a rendered mask, with the true places of their eyes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray

from benchmarks.finding.matching import Eyes
from benchmarks.finding.options import FindOptions
from inpaint_model.errors import UserError
from realtime.detect.face_finder import FaceFinder
from realtime.synthetic import preset_style, render_mask
from realtime.synthetic.pose import fit_pose
from realtime.synthetic.style import Kind

_KINDS: tuple[Kind, ...] = ("surgical", "cloth", "n95", "kn95")  # in turns


@dataclass(frozen=True, eq=False)
class TestFace:
    """A photograph of one person.

    Attributes:
        name: of the photograph.
        bare_bgr: uint8 [H, W, 3], BGR.
        masked_bgr: the same with a rendered mask.
        kind: of the mask.
        keypoints: float64 [5, 2], pixels, as `Face.keypoints`: the true ones.
        middle: of the box round all landmarks, float64 [2], pixels.
        width: of that box, pixels.
        yaw_deg: by how much the head is turned to the picture's right.
    """

    __test__ = False  # pytest: no class of tests

    name: str
    bare_bgr: NDArray[np.uint8]
    masked_bgr: NDArray[np.uint8]
    kind: Kind
    keypoints: NDArray[np.float64]
    middle: NDArray[np.float64]
    width: float
    yaw_deg: float

    @property
    def eyes(self) -> Eyes:
        """The person's right and left eye, float64 [2, 2], pixels."""
        return self.keypoints[:2]

    def picture(self, *, masked: bool) -> NDArray[np.uint8]:
        """The photograph with the mask or without, uint8 [H, W, 3] BGR."""
        return self.masked_bgr if masked else self.bare_bgr


def load_faces(options: FindOptions, count: int) -> list[TestFace]:
    """Take so many people's photographs, evenly spread over the val split, each in the next kind of mask.

    Fewer are returned where there are fewer. Landmarks are those of the bare upright photograph; where none
    are found, the photograph is left out.

    Raises:
        UserError: no face is found.
    """
    faces = []
    with FaceFinder() as finder:
        for name, bare_bgr in bare_pictures(options, count):
            bare_rgb = np.ascontiguousarray(bare_bgr[:, :, ::-1])
            face = finder.portrait(bare_bgr)
            if face is not None and face.landmarks is not None:
                kind = _KINDS[len(faces) % len(_KINDS)]
                faces.append(_face(name, bare_rgb, face.landmarks, face.keypoints, kind))
    if not faces:
        raise UserError(f"{options.faces}: no face found in its val split")
    return faces


def load_group(options: FindOptions, count: int) -> list[TestFace]:
    """Take so many faces; where there are fewer people they come again."""
    faces = load_faces(options, count)
    return [faces[number % len(faces)] for number in range(count)]


def _face(
    name: str,
    bare_rgb: NDArray[np.uint8],
    landmarks: NDArray[np.float64],
    keypoints: NDArray[np.float64],
    kind: Kind,
) -> TestFace:
    masked_rgb = render_mask(bare_rgb, landmarks, preset_style(kind)).image_rgb
    bare_bgr, masked_bgr = (np.ascontiguousarray(one[:, :, ::-1]) for one in (bare_rgb, masked_rgb))
    low, high = landmarks.min(0), landmarks.max(0)
    middle, width = (low + high) / 2, float(high[0] - low[0])
    yaw_deg = math.degrees(fit_pose(landmarks).yaw)
    return TestFace(name, bare_bgr, masked_bgr, kind, keypoints, middle, width, yaw_deg)


def bare_pictures(options: FindOptions, count: int) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Yield so many photographs of the val split, uint8 [H, W, 3] BGR; without a folder the astronaut.

    Raises:
        UserError: a photograph cannot be read, or the val split is empty.
    """
    if options.faces is None:
        yield "astronaut", np.ascontiguousarray(skimage.data.astronaut()[:, :, ::-1])
        return
    for path in spread(_val_paths(options.faces, options.manifest), count):
        picture = cv2.imread(str(path))
        if picture is None:
            raise UserError(f"{path}: cannot be read as a picture")
        yield path.stem, np.asarray(picture, dtype=np.uint8)


def _val_paths(folder: Path, manifest: Path | None) -> list[Path]:
    from trainer.data.photographs import find_photos

    paths = [photo.path for photo in find_photos(folder, manifest) if photo.split == "val"]
    if not paths:
        raise UserError(f"{folder}: its val split is empty")
    return paths


def spread(paths: list[Path], count: int) -> list[Path]:
    """Take so many of the paths, evenly spread; all where there are fewer."""
    if count >= len(paths):
        return paths
    return [paths[index] for index in np.linspace(0, len(paths) - 1, count).astype(int)]
