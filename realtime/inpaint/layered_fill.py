"""Layered fill: a face and what lies beside it are filled apart and joined at the face's silhouette.

A generator paints a jaw line that is soft. So the layer of the face is told a silhouette that reaches out
further, and the layer beside it a narrower one: where the layers meet, neither shows its own soft edge.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from inpaint_model.holes import BESIDE_FACE
from realtime.imaging.mask_regions import dilated

Generator = Callable[[NDArray[np.uint8], NDArray[np.uint8]], NDArray[np.uint8]]
"""Fills crops, uint8 [N, 128, 128, 3], in holes, uint8 [N, 128, 128] (`inpaint_model.holes`).

`inpaint_model.Inpainter` and the like.
"""

_FACE = 1  # a pixel of a hole that lies on the face
# How far the silhouette that each layer is told lies outside and inside the true one, crop px.
_OUTSIDE_PX, _INSIDE_PX = 2, 1
# Sigma of the edge between the layers, crop px: a sharper one shows the pixels of the silhouette.
_EDGE_SIGMA_PX = 1.5
# Averaging several fills blurs fine detail; this unsharp mask restores it.
_SHARPEN_AMOUNT, _SHARPEN_SIGMA_PX = 0.5, 1.0  # of the residual of a Gaussian blur; crop px


@dataclass(frozen=True)
class Pass:
    """One fill of a crop.

    Attributes:
        beside: fill the layer beside the face, not the face.
        mirrored: show the generator the crop's mirror image.
    """

    beside: bool = False
    mirrored: bool = False


# Each pass costs as much as one fill.
STREAM_PASSES = (Pass(), Pass(beside=True, mirrored=True))
PICTURE_PASSES = (*STREAM_PASSES, Pass(mirrored=True), Pass(beside=True))


def fill_in_layers(
    generator: Generator,
    crops: NDArray[np.uint8],
    holes: NDArray[np.uint8],
    passes: Sequence[Pass] = PICTURE_PASSES,
) -> NDArray[np.uint8]:
    """Fill crops in several passes, all in one batch.

    A layer is the mean of its passes (self-ensemble, Lim et al., "Enhanced deep residual networks", CVPRW
    2017). A crop without a pixel beside the face has one layer, the mean of all passes. A mean is sharpened
    a little.

    Args:
        generator: fills crops.
        crops: uint8 [N, 128, 128, 3], RGB; not changed.
        holes: uint8 [N, 128, 128], nonzero where to fill, marked as `inpaint_model.holes` says.
        passes: at least one of each layer.

    Returns:
        A new uint8 [N, 128, 128, 3], RGB; outside the holes equal to `crops`.
    """
    if len(crops) == 0:
        return np.empty_like(crops)
    of_face, of_beside = (
        np.stack([move(hole) for hole in holes]) for move in (_widened, _narrowed)
    )
    shown = [_flip(crops, one) for one in passes]
    told = [_flip(of_beside if one.beside else of_face, one) for one in passes]
    filled = generator(np.concatenate(shown), np.concatenate(told))
    parts = np.split(filled, len(passes))
    each = np.stack([_flip(part, one) for part, one in zip(parts, passes, strict=True)])
    beside = np.array([one.beside for one in passes])
    done = np.empty_like(crops)
    for index, hole in enumerate(holes):
        fill = _joined(each[:, index], beside, hole)
        done[index] = np.where(hole[..., None] != 0, fill, crops[index])
    return done


def _joined(
    fills: NDArray[np.uint8], beside: NDArray[np.bool_], hole: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Join the fills of a crop, uint8 [P, 128, 128, 3]: uint8 [128, 128, 3]."""
    of_face = ~beside if (hole == BESIDE_FACE).any() else np.ones_like(beside)
    fill = np.mean(fills[of_face], 0, np.float32)
    if not of_face.all():
        around, share = np.mean(fills[~of_face], 0, np.float32), _face_share(hole)
        fill = np.asarray(cv2.blendLinear(fill, around, share, 1 - share))
    if of_face.sum() > 1:
        soft = cv2.GaussianBlur(fill, (0, 0), _SHARPEN_SIGMA_PX)
        fill = cv2.addWeighted(fill, 1 + _SHARPEN_AMOUNT, soft, -_SHARPEN_AMOUNT, 0)
    return np.rint(np.clip(fill, 0, 255)).astype(np.uint8)


def _face_share(hole: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The share of the face's layer in each pixel of a hole, float32 [128, 128], 0..1.

    Pixels outside the hole do not count.
    """
    face, filled = (
        cv2.GaussianBlur(flags.astype(np.float32), (0, 0), _EDGE_SIGMA_PX)
        for flags in (hole == _FACE, hole != 0)
    )
    return face / np.maximum(filled, np.float32(1e-3))


def _widened(hole: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Move the silhouette that a hole's marks show outwards."""
    reached = dilated(hole == _FACE, _OUTSIDE_PX) & (hole == BESIDE_FACE)
    return np.where(reached, np.uint8(_FACE), hole)


def _narrowed(hole: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Move the silhouette that a hole's marks show inwards."""
    reached = dilated(hole == BESIDE_FACE, _INSIDE_PX) & (hole == _FACE)
    return np.where(reached, np.uint8(BESIDE_FACE), hole)


def _flip(pictures: NDArray[np.uint8], one: Pass) -> NDArray[np.uint8]:
    """Mirror pictures, [N, 128, 128, ...], if the pass shows the mirror image; also back."""
    return pictures[:, :, ::-1] if one.mirrored else pictures
