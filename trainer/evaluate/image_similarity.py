"""Metrics of a picture against its truth: SSIM, GMSD and a perceptual distance.

Only pixels inside the photograph count. Callers pass pictures that equal the truth outside it, so that
windows across its edge see no false difference.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

from trainer.losses.recogniser import Recogniser

_LUMA = np.array([0.299, 0.587, 0.114])  # Rec. 601
_PREWITT = np.array([[1.0, 0.0, -1.0]] * 3) / 3
_GMSD_CONSTANT = 170.0  # c of the paper, for luma in 0..255
_SSIM_BORDER_PX = 3  # half of SSIM's window


def ssim_map(result: NDArray[np.uint8], truth: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return scikit-image's SSIM map (Wang et al. 2004; uniform 7x7 window, per channel).

    Args:
        result, truth: uint8 [H, W, 3], RGB.

    Returns:
        float64 [H, W], the mean over the channels.
    """
    found: Any = structural_similarity(
        truth.astype(np.float64),
        result.astype(np.float64),
        channel_axis=2,
        data_range=255,
        full=True,
    )
    return found[1].mean(-1)


def without_border(masks: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Remove from masks, bool [N, H, W], the border whose SSIM windows reach outside the picture."""
    inside = np.zeros_like(masks)
    border = slice(_SSIM_BORDER_PX, -_SSIM_BORDER_PX)
    inside[:, border, border] = masks[:, border, border]
    return inside


def ssim(
    results: NDArray[np.uint8], truths: NDArray[np.uint8], *masks: NDArray[np.bool_]
) -> list[NDArray[np.float64]]:
    """Return the mean of the SSIM map over each mask.

    Args:
        results, truths: uint8 [N, H, W, 3], RGB.
        masks: one or more, bool [N, H, W]; a mask of all pixels gives the value of
            `skimage.metrics.structural_similarity(..., channel_axis=2, data_range=255)`.

    Returns:
        float64 [N] for each mask.
    """
    maps = np.stack([ssim_map(a, b) for a, b in zip(results, truths, strict=True)])
    kept = [without_border(pixels) for pixels in masks]
    return [(maps * pixels).sum((1, 2)) / np.maximum(pixels.sum((1, 2)), 1) for pixels in kept]


def gmsd(
    results: NDArray[np.uint8], truths: NDArray[np.uint8], valid: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Gradient magnitude similarity deviation (Xue et al. 2014, equations 4 to 6).

    Luma in 0..255 is averaged over 2x2 pixels; Prewitt gradients give magnitudes m; their similarity is
    (2 m1 m2 + c) / (m1^2 + m2^2 + c) with c = 170; the score is its standard deviation over the picture.
    The metric has no weights, and no network was trained on it.

    Args:
        results, truths: uint8 [N, H, W, 3], RGB, H and W even.
        valid: bool [N, H, W]; a block of 2x2 pixels counts if all four are valid.

    Returns:
        float64 [N], 0 for equal pictures, larger is worse.
    """
    blocks = valid.reshape(len(valid), valid.shape[1] // 2, 2, -1, 2)
    whole = np.logical_and.reduce(blocks, axis=(2, 4))
    values = []
    for result, truth, counted in zip(results, truths, whole, strict=True):
        m1, m2 = _gradient_magnitude(result), _gradient_magnitude(truth)
        similarity = (2 * m1 * m2 + _GMSD_CONSTANT) / (m1**2 + m2**2 + _GMSD_CONSTANT)
        values.append(similarity[counted].std(ddof=1) if counted.sum() > 1 else 0.0)
    return np.array(values, dtype=np.float64)


def _gradient_magnitude(picture_rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Prewitt gradient magnitude of the luma at half size; float64 [H / 2, W / 2]."""
    luma = picture_rgb.astype(np.float64) @ _LUMA
    half = luma.reshape(luma.shape[0] // 2, 2, -1, 2).mean((1, 3))
    across, down = (
        cv2.filter2D(half, cv2.CV_64F, kernel, borderType=cv2.BORDER_CONSTANT)
        for kernel in (_PREWITT, _PREWITT.T)
    )
    return np.hypot(across, down)


def perceptual_distance(
    recogniser: Recogniser, results: NDArray[np.uint8], truths: NDArray[np.uint8]
) -> NDArray[np.float64]:
    """`Recogniser.perceptual_loss` of each picture: the distance of the face recogniser's feature maps.

    The models of this project are trained to minimise it, so that it favours them against others.

    Args:
        recogniser: the frozen network, on any device.
        results, truths: uint8 [N, 128, 128, 3], RGB.

    Returns:
        float64 [N], 0 for equal pictures, larger is worse.
    """
    device = next(recogniser.parameters()).device
    fake, real = (
        torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float().to(device)
        for pictures in (results, truths)
    )
    with torch.no_grad():
        values = [
            float(recogniser.perceptual_loss(fake[i : i + 1], real[i : i + 1]))
            for i in range(len(results))
        ]
    return np.array(values, dtype=np.float64)
