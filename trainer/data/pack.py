"""Travel packs: the best faces of a prepared file, coded to stay under a given size."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from inpaint_model.errors import UserError
from realtime.synthetic.pose import fit_pose
from trainer.augment.views import has_surroundings
from trainer.data.coded_face import CodedFace, decode, encode
from trainer.data.face_set import write

# WebP qualities, the finest first. None leaves the pictures as they are stored: JPEG of quality 96, which
# takes 10.8 KiB a face on 300 faces of three data sets. 95 takes 5.6 KiB at 42.8 dB, 90 takes 3.9 at 40.3,
# and 85 takes 3.0 at 38.4, ten decibels above what a network draws. The strength of fine detail stays
# within 1 %. JPEG 4:2:0 takes half as much again at equal PSNR; AVIF takes a fifth less, but not every
# OpenCV decodes it.
_QUALITIES = (None, 95, 90, 85)
_VAL_SHARE, _LEAST_VAL, _LARGEST_VAL_SHARE = 0.05, 300, 0.2
_YAW_BIN_DEG = 15.0
_FACE = slice(28, 108), slice(28, 100)  # rows and columns of the canonical crop: brows to chin
_FACES_AT_A_TIME = 256  # faces coded between two looks at the size


@dataclass(frozen=True)
class Traits:
    """What decides about a face: its sharpness, and the group that stays in proportion."""

    sharpness: float
    group: Hashable


def pack(
    faces: Sequence[CodedFace], path: Path, limit_mib: float
) -> tuple[list[CodedFace], int | None]:
    """Write the best faces as one file of at most `limit_mib` MiB.

    Which faces are kept:

    - Faces form groups by data set, by yaw in steps of 15 degrees, left and right alike, and by whether
      the photograph goes on around the crop. Each group keeps the same share of its faces.
    - Within a group, each person's sharpest face comes before anyone's second. Sharper faces come first.
      Sharpness is measured at the scale of the crop, so that a small face that was enlarged counts as soft.
    - The val faces are 5 % of the pack and at least 300, but at most 20 %. They are drawn evenly by group
      and without regard to sharpness, so that their figures compare with those of the whole set.
    - Faces of other splits are left out: a training needs none.

    Pictures keep their code if all faces fit. Otherwise they become WebP of the finest of the qualities 95
    and 90 at which all fit, or of quality 85, and faces are left out.

    Args:
        faces: the faces to choose from.
        path: the `.npz` to write.
        limit_mib: largest size of the file in MiB.

    Returns:
        The faces as written, and the WebP quality; None if the pictures were not coded again.

    Raises:
        UserError: not even one face fits.
    """
    limit = limit_mib * 2**20
    with ThreadPoolExecutor() as pool:
        traits = list(track(pool.map(traits_of, faces), "measure", total=len(faces)))
        ordered = [faces[index] for index in order_faces(faces, traits)]
        quality = _finest_quality(ordered, limit)
        coded: list[CodedFace] = []
        for first in range(0, len(ordered), _FACES_AT_A_TIME):
            some = ordered[first : first + _FACES_AT_A_TIME]
            coded += pool.map(partial(_with_quality, quality=quality), some)
            if sum(face.coded_bytes for face in coded) > limit:
                break
    return _write_first(path, coded, limit, f"{limit_mib:g} MiB"), quality


def traits_of(face: CodedFace) -> Traits:
    """Measure a face."""
    margin = face.margin_px
    crop = decode(face)[margin : len(face.valid) - margin, margin : len(face.valid) - margin]
    yaw_bin = int(abs(np.degrees(fit_pose(face.landmarks).yaw)) / _YAW_BIN_DEG)
    return Traits(sharpness(crop), (face.source, yaw_bin, has_surroundings(face.valid)))


def sharpness(crop_rgb: NDArray[np.uint8]) -> float:
    """Strength of fine detail over that of coarser detail, at the strongest edges of the face.

    The ratio does not depend on contrast, and little on brightness (correlation 0.1 on 240 faces): ranking
    by the detail itself prefers glasses, wrinkles and hard light. Halving the resolution lowers it by two
    standard deviations; noise of 4 levels raises it by a third of one.

    Args:
        crop_rgb: uint8 [128, 128, 3], the canonical crop.
    """
    grey = cv2.cvtColor(crop_rgb[_FACE], cv2.COLOR_RGB2GRAY).astype(np.float32)
    fine, middle, coarse = (cv2.GaussianBlur(grey, (0, 0), sigma) for sigma in (0.5, 1.0, 2.0))
    slope = np.hypot(cv2.Sobel(middle, cv2.CV_32F, 1, 0), cv2.Sobel(middle, cv2.CV_32F, 0, 1))
    edges = slope >= np.quantile(slope, 0.9)
    detail, coarser = np.abs(fine - middle)[edges].mean(), np.abs(middle - coarse)[edges].mean()
    return float(detail / max(coarser, 1e-6))


def order_faces(faces: Sequence[CodedFace], traits: Sequence[Traits]) -> list[int]:
    """Order the faces of train and val so that the first N are the best pack of N faces, for every N.

    `pack` says what is best.

    Returns:
        Indices into `faces`.
    """
    by_sharpness = sorted(range(len(faces)), key=lambda index: -traits[index].sharpness)
    seen: Counter[Hashable] = Counter()
    turn: dict[int, int] = {}  # a face's place among its person's faces, the sharpest first
    for index in by_sharpness:
        face = faces[index]
        person = (face.source, face.identity) if face.identity else index
        turn[index] = seen[person]
        seen[person] += 1
    best_first = sorted(by_sharpness, key=turn.__getitem__)
    at_random = np.random.default_rng(0).permutation(len(faces)).tolist()
    train = _in_proportion([at for at in best_first if faces[at].split == "train"], traits)
    val = _in_proportion([at for at in at_random if faces[at].split == "val"], traits)
    order: list[int] = []
    taken = 0  # val faces
    while taken < len(val) or len(order) - taken < len(train):
        count = len(order) + 1
        wanted = max(_VAL_SHARE * count, min(_LEAST_VAL, _LARGEST_VAL_SHARE * count))
        if len(order) - taken == len(train) or (taken < len(val) and taken < wanted):
            order.append(val[taken])
            taken += 1
        else:
            order.append(train[len(order) - taken])
    return order


def _in_proportion(ranked: Sequence[int], traits: Sequence[Traits]) -> list[int]:
    """Mix the groups so that at every place each has given the same share of its faces, in their order."""
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for index in ranked:
        groups[traits[index].group].append(index)
    share = {
        index: (place + 0.5) / len(group)
        for group in groups.values()
        for place, index in enumerate(group)
    }
    return sorted(ranked, key=share.__getitem__)


def _with_quality(face: CodedFace, quality: int | None) -> CodedFace:
    if quality is None:
        return face
    return replace(face, picture=encode(decode(face), face.valid, quality))


def _finest_quality(faces: Sequence[CodedFace], limit: float) -> int | None:
    """Return the finest quality at which all faces probably fit under `limit` bytes, else the coarsest."""
    some = faces[:: max(1, len(faces) // 128)]
    for quality in _QUALITIES:
        size = sum(_with_quality(face, quality).coded_bytes for face in some)
        if size / max(1, len(some)) * len(faces) <= 0.9 * limit:
            return quality
    return _QUALITIES[-1]


def _write_first(
    path: Path, faces: list[CodedFace], limit: float, limit_text: str
) -> list[CodedFace]:
    """Write as many of the first faces as fit under `limit` bytes, and return them."""
    coded = np.cumsum([face.coded_bytes for face in faces])
    count = len(faces)
    while count:
        size = write(path, faces[:count], limit)
        if size <= limit:
            return faces[:count]
        rest = (size - coded[count - 1]) / count  # bytes a face that are neither picture nor matte
        sizes = coded + rest * np.arange(1, len(faces) + 1)
        count = min(int(np.searchsorted(sizes, limit, "right")), count - 1)
    raise UserError(f"{path}: not one face fits into {limit_text}")
