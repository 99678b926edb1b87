"""The face aligner's losses: face or none with the hardest negatives, mask or none, and how a face lies."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, smooth_l1_loss

from inpaint_model.networks.face_aligner import UNIT_PX
from realtime.align.canonical_crop import CROP_SIZE

# Online hard example mining (Shrivastava et al. 2016): only so many of the samples without a face count,
# those with the largest loss.
_HARDEST_SHARE = 0.5
_MASK_WEIGHT, _POINTS_WEIGHT = 0.3, 8.0
_SMOOTH = 0.02  # distance up to which the loss of a point is quadratic, in sides of the square
# Points that stand for a face's place, size and angle: both eyes and the chin, canonical crop pixels.
_ANCHORS = (40.0, 46.0), (88.0, 46.0), (64.0, 96.0)
_MIDDLE = (CROP_SIZE - 1) / 2


def anchor_points(aligned: Tensor) -> Tensor:
    """Return where three points of the canonical crop lie.

    Args:
        aligned: float [N, 6], as `FaceAlignerNet` gives it.

    Returns:
        float [N, 3, 2], x and y in sides of the square from its middle, pixel 32.
    """
    centre, across, down = aligned[:, 2:4], aligned[:, 4], aligned[:, 5]
    points = []
    for point in _ANCHORS:
        x, y = ((at - _MIDDLE) / UNIT_PX for at in point)
        points.append(centre + torch.stack([x * across - y * down, x * down + y * across], 1))
    return torch.stack(points, 1)


def point_errors(found: Tensor, wanted: Tensor) -> Tensor:
    """Return the points' mean distance, float [N], in pixels of a crop that fills the square."""
    distance = (anchor_points(found) - anchor_points(wanted)).norm(dim=-1).mean(1)
    return distance * CROP_SIZE


def aligner_losses(found: Tensor, wanted: Tensor) -> dict[str, Tensor]:
    """Return the weighted losses by name; their sum is the loss.

    Nothing here waits for the device, so that a step can be a CUDA graph.

    Args:
        found: float [N, 6], what the network gave.
        wanted: float [N, 6], as in `AlignerBatch`.
    """
    is_face = wanted[:, 0]
    faces = is_face.sum()
    each = binary_cross_entropy_with_logits(found[:, 0], is_face, reduction="none")
    hardest = (each * (1 - is_face)).sort(descending=True).values
    kept = (_HARDEST_SHARE * (len(found) - faces)).ceil()
    counts = torch.arange(len(found), device=found.device) < kept
    face = ((each * is_face).sum() + (hardest * counts).sum()) / (faces + kept)
    mask = binary_cross_entropy_with_logits(found[:, 1], wanted[:, 1], reduction="none")
    points = smooth_l1_loss(
        anchor_points(found), anchor_points(wanted), beta=_SMOOTH, reduction="none"
    ).mean((1, 2))
    each_face = is_face / faces.clamp_min(1)
    return {
        "face": face,
        "mask": _MASK_WEIGHT * (mask * each_face).sum(),
        "points": _POINTS_WEIGHT * (points * each_face).sum(),
    }
