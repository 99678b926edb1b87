"""Metrics that need NumPy alone: PSNR over a mask, intersection over union."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def composited_psnr(
    results: NDArray[np.uint8], truths: NDArray[np.uint8], valid: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """PSNR of composited crops over the pixels inside the photograph.

    Args:
        results, truths: uint8 [N, 128, 128, 3].
        valid: bool [N, 128, 128], the pixels that count; None: all.

    Returns:
        float64 [N], dB; 100 for equal pictures.
    """
    error = (results.astype(np.float64) - truths.astype(np.float64)) ** 2
    valid = np.ones(error.shape[:3], bool) if valid is None else valid
    mse = (error.mean(-1) * valid).sum((1, 2)) / np.maximum(valid.sum((1, 2)), 1)
    return 10 * np.log10(255.0**2 / np.maximum(mse, 255.0**2 / 1e10))


def iou(found: NDArray[np.bool_], true: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Intersection over union, float64 [N], of bool [N, H, W]; 1 where both are empty."""
    both = (found & true).sum((1, 2))
    either = (found | true).sum((1, 2))
    return np.where(either > 0, both / np.maximum(either, 1), 1.0)
