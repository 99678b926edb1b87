"""Losses on pixels: L1, image gradients and chroma of the error inside a mask."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from trainer.config import Stage
from trainer.losses.paper_losses import completion_mse

_LUMA = 0.299, 0.587, 0.114  # Rec. 601


def pixel_losses(
    stage: Stage, outputs: list[Tensor], real: Tensor, mask: Tensor
) -> tuple[Tensor, dict[str, Tensor]]:
    """Composite the fill and compute the stage's losses on pixels, by name and not weighted.

    Args:
        stage: says which losses have a weight.
        outputs: float [N, 3, H, W] of each autoencoder, in [-1, 1]; the last is the result, and those
            before it have half the weight in the L1.
        real: float [N, 3, H, W], the truth.
        mask: float [N, 1, H, W], 1 on hole pixels whose truth is known.

    Returns:
        The truth with the fill in it, float [N, 3, H, W], and the losses.
    """
    error = (outputs[-1] - real) * mask
    losses = {}
    if stage.mse:
        losses["mse"] = completion_mse(outputs, real, mask)
    if stage.l1:
        earlier = [0.5 * masked_l1((output - real) * mask, mask) for output in outputs[:-1]]
        losses["l1"] = sum(earlier, masked_l1(error, mask))
    if stage.gradient:
        losses["gradient"] = gradient_loss(error, mask)
    if stage.colour:
        losses["colour"] = colour_loss(error, mask)
    return real + error, losses


def masked_l1(error: Tensor, mask: Tensor) -> Tensor:
    """Mean absolute error over the pixels of a mask.

    Args:
        error: float [N, 3, H, W], 0 outside the mask.
        mask: float [N, 1, H, W], 0 or 1.
    """
    return _absolute_sum(error) / (3 * mask.sum().clamp_min(1))


def gradient_loss(error: Tensor, mask: Tensor) -> Tensor:
    """Mean absolute error of the horizontal and vertical image gradients; see `masked_l1`."""
    # The error is 0 outside the mask: only the pixel before can lie inside it alone.
    across = torch.addcmul(error[..., 1:], error[..., :-1], mask[..., 1:], value=-1)
    down = torch.addcmul(error[..., 1:, :], error[..., :-1, :], mask[..., 1:, :], value=-1)
    return (_absolute_sum(across) + _absolute_sum(down)) / (6 * mask.sum().clamp_min(1))


def colour_loss(error: Tensor, mask: Tensor) -> Tensor:
    """Mean absolute error of chroma (colour minus luma), averaged over 5x5 pixels; see `masked_l1`."""
    share = functional.avg_pool2d(mask, 5, 2, 2)
    mean = functional.avg_pool2d(error, 5, 2, 2)
    red, green, blue = mean.split(1, 1)
    luma = _LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue
    return _absolute_sum(mean - luma) / (3 * share.sum()).clamp_min(1)


def _absolute_sum(values: Tensor) -> Tensor:
    """Sum of the absolute values, in one pass over memory."""
    return torch.linalg.vector_norm(values, 1)
