"""Background matching: filled colours beside a face go over to those of a plain background."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.frames import Fill, SegmentedFace
from realtime.inpaint.appearance import FillStep
from realtime.settings import INPAINT

_REACH_PX = 6  # from the silhouette into the face, crop px: generators blur contours so far
_UNKNOWN_REACH_PX = 16  # from the hole's edge on, where no landmarks tell the silhouette, crop px
_RING_PX = 10  # width of the ring of pixels round the moved ones that count, crop px
_RIM_PX = 1  # the mask colours the pixels that it touches; they are left out
_CELL_PX = 8  # side of the cells whose means stand for the pixels of the ring, crop px
_LEAST_CELL = 0.2  # share of a cell that must lie in the ring
_FACE_WEIGHT = 2.0  # of the cells of the filled face: a ring has fewer of them than of a wall
_COLOUR_SIGMA = 25.0  # of the kernel, levels
_PLACE_SIGMA_PX = 16.0  # of the kernel, crop px
_DOUBT = 0.002  # weight of a pixel's own colour, of that of all cells by their places alone
_STEPS = 2  # of the mean shift
_ONE_THREAD = 2**17  # multiplications; OpenBLAS computes up to twice as many in one thread
_SOFT_SIGMA_PX = 0.7  # of the Gaussian that softens the stairs of moved contours, crop px


class BackgroundMatching(FillStep):
    """Moves colours beside the face, and at its edge, to those of a plain background.

    A generator that is not sure where a contour lies paints a gradient across it, and a wall in nearly the
    wall's colour. Each colour moves to the mean of those of the known cells of the ring, weighted by how
    near they are, how alike and how plain (mean shift). Known cells that are not plain, and cells of the
    filled face, hold the colours that are like theirs.

    Source: Comaniciu and Meer, "Mean shift: a robust approach toward feature space analysis", IEEE
    Transactions on Pattern Analysis and Machine Intelligence 24(5), 2002.
    """

    name = "background match"

    def __call__(self, fill: Fill, face: SegmentedFace) -> Fill:
        """Match the background; see `FillStep`."""
        moved = _may_be_background(face) & face.valid
        if not moved.any():
            return fill
        ring = face.valid & ~moved & (_distance(moved) <= _RING_PX)
        known = ring & face.known & (_distance(face.hole) > _RIM_PX)
        cells = _Cells.of(fill.rgb, known, ring & face.hole)
        if not cells.plainness.any():
            return fill
        out = fill.rgb.copy()
        out[moved] = np.rint(_shifted(fill.rgb[moved], np.argwhere(moved), cells))
        out[moved] = cv2.GaussianBlur(out, (0, 0), _SOFT_SIGMA_PX)[moved]
        return replace(fill, rgb=out)


def _may_be_background(face: SegmentedFace) -> NDArray[np.bool_]:
    """Mark the pixels of a hole that lie beside the face or at its edge, bool [128, 128]."""
    if face.silhouette is None:
        return face.hole & (_distance(~face.hole) <= _UNKNOWN_REACH_PX)
    return face.hole & (_distance(face.hole & ~face.silhouette) <= _REACH_PX)


@dataclass(frozen=True, eq=False)
class _Cells:
    """The cells of a ring.

    Attributes:
        places: float32 [M, 2], crop px.
        colours: float32 [M, 3], RGB.
        weights: float32 [M], the share of each cell that lies in the ring; what is filled counts for more.
        plainness: float32 [M], 0..1: how plain its known part is, and how much of it is known.
    """

    places: NDArray[np.float32]
    colours: NDArray[np.float32]
    weights: NDArray[np.float32]
    plainness: NDArray[np.float32]

    @classmethod
    def of(
        cls, picture_rgb: NDArray[np.uint8], known: NDArray[np.bool_], filled: NDArray[np.bool_]
    ) -> _Cells:
        """Take the means of the known and of the filled pixels of a ring, bool [128, 128]."""
        flags = (known | filled).astype(np.float32)
        levels = picture_rgb * flags[..., None]
        share, known_share, mean, square = (
            _cell_means(each) for each in (flags, known.astype(np.float32), levels, levels * levels)
        )
        used = share >= _LEAST_CELL
        places = ((np.argwhere(used) + 0.5) * _CELL_PX - 0.5).astype(np.float32)
        share, known_share = share[used], known_share[used]
        colours, square = mean[used] / share[:, None], square[used] / share[:, None]
        variance = (square - np.square(colours)).max(-1, initial=0)
        plain = np.exp(-0.5 * variance / INPAINT.plain_levels**2)
        weights = (known_share + _FACE_WEIGHT * (share - known_share)).astype(np.float32)
        return cls(places, colours, weights, plain * known_share / weights)


def _shifted(
    colours: NDArray[np.uint8], places: NDArray[np.intp], cells: _Cells
) -> NDArray[np.float32]:
    """Shift colours, uint8 [N, 3], at their places, int [N, 2], towards plain cells: float32 [N, 3]."""
    towards = cells.weights * cells.plainness
    sums = np.column_stack([towards[:, None] * cells.colours, towards, cells.weights])
    cells_at, at = cells.places / _PLACE_SIGMA_PX, places / _PLACE_SIGMA_PX
    doubt = _DOUBT * _weighted_sums(at, cells_at, cells.weights[:, None])[:, 0]
    modes = np.hstack([cells_at, cells.colours / _COLOUR_SIGMA])
    levels = colours.astype(np.float32)
    for _ in range(_STEPS):
        found = _weighted_sums(np.hstack([at, levels / _COLOUR_SIGMA]), modes, sums)
        total = found[:, 4] + doubt
        levels = (found[:, :3] + (total - found[:, 3])[:, None] * levels) / total[:, None]
    return np.asarray(levels, np.float32)


def _weighted_sums(some: NDArray, others: NDArray, values: NDArray) -> NDArray[np.float32]:
    """Sum values, [M, V], weighted by the Gaussian of the distances of vectors, [N, C] and [M, C].

    One product gives all exponents. It is taken in parts that BLAS computes in one thread: its threads
    spin on all cores for a while after a larger one.

    Returns:
        float32 [N, V].
    """
    one = np.column_stack([some, -0.5 * np.square(some).sum(1), np.ones(len(some))])
    other = np.column_stack([others, np.ones(len(others)), -0.5 * np.square(others).sum(1)])
    one, other = one.astype(np.float32), np.ascontiguousarray(other.T, np.float32)
    rows = max(_ONE_THREAD // other.size, 1)
    parts = (np.exp(one[at : at + rows] @ other) for at in range(0, len(one), rows))
    return np.concatenate([part @ values for part in parts], dtype=np.float32)


def _cell_means(levels: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean of each cell, float32 [h / 8, w / 8] or [h / 8, w / 8, C]."""
    height, width = levels.shape[:2]
    size = width // _CELL_PX, height // _CELL_PX
    return np.asarray(cv2.resize(levels, size, interpolation=cv2.INTER_AREA), np.float32)


def _distance(marked: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The distance of each pixel to the next marked one, float32 [h, w]."""
    return np.asarray(cv2.distanceTransform((~marked).view(np.uint8), cv2.DIST_L2, 3), np.float32)
