"""The paper's discriminator: a global and a local network joined to one logit (training only)."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

PATCH_SIZE = 64  # side of the local network's input, pixels
_FEATURES_PER_WIDTH = 16  # features of each network over its width


class _Branch(nn.Sequential):
    """5x5 stride-2 convolutions down to 4x4, then one fully connected layer.

    Args:
        convolutions: number of convolutions; the input's side is 4 * 2 ** convolutions pixels.
        width: channels of the first one; each next one has twice as many, up to eight times.
    """

    def __init__(self, convolutions: int, width: int) -> None:
        widths = [3] + [width * min(2**index, 8) for index in range(convolutions)]
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(widths):
            layers.append(spectral_norm(nn.Conv2d(inputs, outputs, 5, 2, 2)))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
        features = spectral_norm(nn.Linear(16 * widths[-1], _FEATURES_PER_WIDTH * width))
        super().__init__(*layers, nn.Flatten(), features, nn.LeakyReLU(0.2, inplace=True))


class GlobalLocalDiscriminator(nn.Module):
    """Judges a crop by the whole crop and by the 64x64 patch round its hole.

    The paper's text gives the global network five convolutions and the local one four; the captions
    of its Tables 2 and 3 say the reverse. The text is followed: five halvings of 128 and four of 64
    both end at 4x4, as in Iizuka et al. 2017, where the features of both are then joined; the
    captions' four on 128 would end at 8x8 and five on 64 at 2x2. All strides are 2 for the same
    reason. Spectral norm (Miyato et al. 2018) replaces batch norm, whose statistics would differ
    between a batch of true crops and one of filled crops. See docs/paper.md.

    Args:
        width: channels of the first convolutions; 64 is Iizuka's.
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.whole = _Branch(5, width)
        self.local = _Branch(4, width)
        self.logit = spectral_norm(nn.Linear(2 * _FEATURES_PER_WIDTH * width, 1))

    def forward(self, crops: Tensor, holes: Tensor) -> Tensor:
        """Judge crops.

        Args:
            crops: float [N, 3, 128, 128], RGB in [-1, 1], true or filled.
            holes: float [N, 1, 128, 128], 1 in the hole; the patch is cut round it.

        Returns:
            float [N], the logit of being true (the paper's D is its sigmoid).
        """
        features = [self.whole(crops), self.local(hole_patches(crops, holes))]
        return self.logit(torch.cat(features, 1)).squeeze(1)


def hole_patches(crops: Tensor, holes: Tensor, size: int = PATCH_SIZE) -> Tensor:
    """Cut the square of side `size` centred on each hole, shifted to lie inside the crop.

    Args:
        crops: float [N, C, H, W].
        holes: float [N, 1, H, W], 1 in the hole; the crop's centre counts if the hole is empty.
        size: side of the square in pixels.

    Returns:
        float [N, C, size, size].
    """
    tops = _patch_start(holes.sum((1, 3)), size)
    lefts = _patch_start(holes.sum((1, 2)), size)
    along = torch.arange(size, device=crops.device)
    rows = (tops + along)[:, None, :, None].expand(-1, crops.shape[1], -1, crops.shape[3])
    columns = (lefts + along)[:, None, None, :].expand(-1, crops.shape[1], size, -1)
    # Unlike an advanced index, `gather` has a backward pass that sorts nothing.
    return crops.gather(2, rows).gather(3, columns)


def _patch_start(weight: Tensor, size: int) -> Tensor:
    """First row (column) of the patch, integer [N, 1], from the hole's pixels a row (column), [N, L]."""
    length = weight.shape[1]
    places = torch.arange(length, device=weight.device, dtype=weight.dtype)
    total = weight.sum(1, keepdim=True)
    centre = (weight * places).sum(1, keepdim=True) / total.clamp_min(1)
    centre = torch.where(total > 0, centre, torch.full_like(centre, (length - 1) / 2))
    return (centre - (size - 1) / 2).round().long().clamp(0, length - size)
