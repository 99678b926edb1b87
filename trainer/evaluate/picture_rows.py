"""Lays pictures out in rows: equal pictures of a sample below one another, samples side by side."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def in_rows(*pictures: NDArray[np.uint8], columns: int = 8, most: int = 40) -> NDArray[np.uint8]:
    """Lay out pictures of samples.

    Args:
        pictures: uint8 [N, S, S, 3] each; the first ones of a sample lie above the second ones, and so on.
        columns: samples side by side.
        most: samples that are shown.

    Returns:
        uint8; black where the last row has no sample, and one black pixel if there is no sample at all.
    """
    lines = []
    for first in range(0, min(len(pictures[0]), most), columns):
        for tiles in pictures:
            shown = list(tiles[first : min(first + columns, most)])
            shown += [np.zeros_like(shown[0])] * (columns - len(shown))
            lines.append(cv2.hconcat(shown))
    return np.asarray(cv2.vconcat(lines), np.uint8) if lines else np.zeros((1, 1, 3), np.uint8)
