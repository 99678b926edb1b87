"""Photographs in which one face is reported twice."""

from __future__ import annotations

from itertools import combinations

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.finding.matching import Seen, faces_of, inside, of_one_size
from benchmarks.finding.options import FindOptions
from benchmarks.finding.photographs import masked_photographs
from benchmarks.photographs.tiles import fit, labelled, write_pages
from benchmarks.tables import Row, publish
from realtime import UnmaskResult

_MOST_OVERLAP = 0.3  # intersection over union of two boxes of different faces
_TILE_PX, _COLUMNS, _PER_PAGE = 400, 4, 12
_RED, _YELLOW = (0, 0, 255), (0, 255, 255)  # BGR


def run(options: FindOptions) -> list[Row]:
    """Count photographs in which two reported faces overlap."""
    count, faces = 0, 0
    twice, tiles = [], []
    with options.unmasker("image") as unmasker:
        for name, picture in masked_photographs(options, "found twice", clear=False):
            result = unmasker(picture)
            seen = faces_of(result)
            count, faces = count + 1, faces + len(seen)
            if any(overlap(*pair) for pair in combinations(seen, 2)):
                twice.append(name)
                tiles.append(labelled(_drawn(result, seen), name))
    if options.out is not None and tiles:
        write_pages(options.out / "sheet-find-twice.png", tiles, _COLUMNS, _PER_PAGE)
    row = {"photographs": count, "faces": faces, "with a face found twice": len(twice)}
    return publish("find-twice", [row], options.out, {"found twice": twice})


def overlap(one: Seen, other: Seen) -> bool:
    """Whether two reported faces are one.

    Their boxes overlap, or the eyes of one lie in the box of the other and they are of about one size.
    """
    if _iou(one.box, other.box) > _MOST_OVERLAP:
        return True
    within = inside(one.middle, other.box) or inside(other.middle, one.box)
    return within and of_one_size(one.width, other.width)


def _iou(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    common = max(width, 0.0) * max(height, 0.0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return common / max(sum(areas) - common, 1e-6)


def _drawn(result: UnmaskResult, seen: list[Seen]) -> NDArray[np.uint8]:
    """The result with the boxes of its faces, red where they are filled."""
    frame = result.frame.copy()
    for face in seen:
        x0, y0, x1, y1 = (round(value) for value in face.box)
        cv2.rectangle(frame, (x0, y0), (x1, y1), _RED if face.filled else _YELLOW, 2)
    return fit(frame, _TILE_PX)
