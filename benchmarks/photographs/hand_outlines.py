"""Masks outlined by hand in photographs: the polygons' coordinates, without the pictures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from skimage.draw import polygon2mask

from benchmarks.photographs.lists import LISTS
from inpaint_model.errors import UserError

_SHIPPED = LISTS / "masked_web_outlines.json"

Points = Sequence[Sequence[float]]


@dataclass(frozen=True)
class Outline:
    """The outline of the mask in one photograph.

    Attributes:
        name: the photograph's file name.
        size: its width and height in pixels.
        polygons: x, y of the corners in pixels; 0, 0 is the top left corner of the first pixel.
        holes: polygons of the same kind round objects in front of the mask.
    """

    name: str
    size: tuple[int, int]
    polygons: Sequence[Points]
    holes: Sequence[Points]

    def mask(self) -> NDArray[np.bool_]:
        """Return the pixels whose centre lies inside the polygons and outside the holes, bool [H, W]."""
        filled = self._filled(self.polygons)
        return filled & ~self._filled(self.holes)

    def _filled(self, polygons: Sequence[Points]) -> NDArray[np.bool_]:
        width, height = self.size
        filled = np.zeros((height, width), dtype=bool)
        for points in polygons:
            rows_columns = np.array(points, dtype=np.float64)[:, ::-1] - 0.5
            filled |= polygon2mask((height, width), rows_columns)
        return filled


def load(path: Path = _SHIPPED) -> list[Outline]:
    """Read the outlines of a file, sorted by name.

    Raises:
        UserError: the file is not a list of outlines.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["outlines"]
        return [
            Outline(name, (int(one["size"][0]), int(one["size"][1])), one["polygons"], one["holes"])
            for name, one in sorted(entries.items())
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: not a list of outlines ({error!r})") from None
