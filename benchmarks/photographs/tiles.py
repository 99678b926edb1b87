"""Draws contact sheets: pictures cropped to their faces, fitted into labelled tiles, on pages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Box = tuple[float, float, float, float]
_LABEL_PX = 18


def fit(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Scale a picture, uint8 [H, W, 3], into the top left of a black square tile."""
    scale = side / max(picture.shape[:2])
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    size = [max(1, min(side, round(edge * scale))) for edge in picture.shape[1::-1]]
    tile = np.zeros((side, side, 3), np.uint8)
    tile[: size[1], : size[0]] = cv2.resize(picture, size, interpolation=method)
    return tile


def before_and_after(
    before: NDArray[np.uint8], after: NDArray[np.uint8], side: int = 240
) -> NDArray[np.uint8]:
    """Put two pictures side by side, each in a square tile of `side` pixels."""
    return np.hstack([fit(before, side), fit(after, side)])


def labelled(tile: NDArray[np.uint8], text: str) -> NDArray[np.uint8]:
    """Put a line of text over a tile; the tile grows by the line's height."""
    strip = np.zeros((_LABEL_PX, tile.shape[1], 3), np.uint8)
    font = cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(strip, text, (3, _LABEL_PX - 5), font, 0.45, (0, 255, 255), 1, cv2.LINE_AA)
    return np.vstack([strip, tile])


def surroundings(
    shape: Sequence[int], boxes: Sequence[Box], margin: float = 0.6
) -> tuple[slice, slice]:
    """Find the part of a picture that shows its faces and their surroundings.

    Args:
        shape: the picture's height and width first.
        boxes: x0, y0, x1, y1 of the faces, pixels; none: the whole picture.
        margin: added on each side, as a share of the longer side of the boxes' hull.

    Returns:
        Rows and columns of a region that is square where the picture allows it.
    """
    height, width = shape[:2]
    if not boxes:
        return slice(0, height), slice(0, width)
    hull = np.array(boxes, dtype=np.float64)
    low, high = hull[:, :2].min(0), hull[:, 2:].max(0)
    side = max(float((high - low).max()) * (1 + 2 * margin), 8.0)
    middle = (low + high) / 2
    spans = []
    for centre, length in ((middle[1], height), (middle[0], width)):
        begin = int(np.clip(centre - side / 2, 0, max(length - side, 0)))
        spans.append(slice(begin, min(length, begin + int(np.ceil(side)))))
    return spans[0], spans[1]


def write_tiles(path: Path, tiles: Sequence[NDArray[np.uint8]], columns: int) -> None:
    """Write tiles of one size as a PNG sheet, BGR."""
    blank = np.zeros_like(tiles[0])
    padded = [*tiles, *[blank] * (-len(tiles) % columns)]
    rows = [np.hstack(padded[at : at + columns]) for at in range(0, len(padded), columns)]
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.vstack(rows))


def write_pages(
    path: Path, tiles: Sequence[NDArray[np.uint8]], columns: int, per_page: int
) -> list[Path]:
    """Write tiles on as many sheets as they need: `path` alone, or `NAME-1`, `NAME-2`, ... beside it."""
    starts = range(0, len(tiles), per_page)
    if len(starts) <= 1:
        pages = [path]
    else:
        pages = [path.with_stem(f"{path.stem}-{number}") for number in range(1, len(starts) + 1)]
    for page, start in zip(pages, starts, strict=False):
        write_tiles(page, tiles[start : start + per_page], columns)
    return pages


class WorstTiles:
    """Keeps the pictures of those with the highest error, one case each, for a sheet.

    Args:
        count: so many are kept.
        side: of a picture on the sheet, pixels.
    """

    def __init__(self, count: int = 12, side: int = 300) -> None:
        self._count, self._side = count, side
        self._kept: dict[str, tuple[float, NDArray[np.uint8]]] = {}

    def add(
        self, name: str, error: float, text: str, pictures: Sequence[NDArray[np.uint8]]
    ) -> None:
        """Offer a case.

        Args:
            name: whose case it is; the worst one of each name is kept.
            error: the larger, the worse.
            text: a line over the pictures.
            pictures: uint8 [H, W, 3] BGR each, put side by side.
        """
        own, _ = self._kept.get(name, (-np.inf, None))
        others = sorted((error for error, _ in self._kept.values()), reverse=True)
        if error <= own or error <= (others[self._count - 1 :] or [-np.inf])[0]:
            return
        tile = labelled(np.hstack([fit(picture, self._side) for picture in pictures]), text)
        kept = sorted((self._kept | {name: (error, tile)}).items(), key=lambda one: -one[1][0])
        self._kept = dict(kept[: self._count])

    def write(self, path: Path, columns: int = 2) -> None:
        """Write the kept cases as a PNG sheet, the worst first; no file where none was offered."""
        if self._kept:
            write_tiles(path, [tile for _, tile in self._kept.values()], columns)
