"""The refiner: a refinement network that gives a fill the fine detail of a larger face (torch definition).

A generator fills crops of 128 px; a face that is larger in the frame is sharper around the fill. As in
coarse-to-fine inpainting (Yu et al. 2018, "Generative Image Inpainting with Contextual Attention") a second
network sees the filled picture, here nose and mouth at twice the crop's resolution. It works on a quarter
of that resolution, with pixels moved to channels and back (Shi et al. 2016, "Real-Time Single Image and
Video Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural Network").
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

SIDE_PX = 128
"""Side of the square that the network sees, pixels of half a crop px."""

_FOLD = 4  # pixels in each direction that are moved to channels
# Sides of the means taken one after another; a band lies between two of them.
_SMOOTHED_PX = (3, 3, 5)


class RefinerNet(nn.Module):
    """Amplifies the picture's own bands of detail, each pixel by gains of its own, and adds new detail.

    What it adds has a mean of about 0 over 12 pixels: colours and shading stay. With gains a network learns
    to sharpen in a hundred steps, without them in none: what it adds must else lie exactly on the edges
    before it is of any use.

    Args:
        channels: of each convolution.
        dilations: of the residual units, one unit each.
    """

    def __init__(self, channels: int = 48, dilations: tuple[int, ...] = (1, 2, 1, 2)) -> None:
        super().__init__()
        bands = len(_SMOOTHED_PX)
        self.begin = nn.Conv2d(7 * _FOLD**2, channels, 3, padding=1)
        self.body = nn.Sequential(*(_Unit(channels, dilation) for dilation in dilations))
        self.end = nn.Conv2d(channels, (bands + 3) * _FOLD**2, 3, padding=1)
        nn.init.zeros_(self.end.weight)
        nn.init.zeros_(self.end.bias)  # type: ignore[arg-type]

    def forward(self, patches: Tensor) -> Tensor:
        """Find the detail that fills lack.

        Args:
            patches: float [N, 128, 128, 4]: RGB, 0..255, of a fill over its frame, and the fill's opacity,
                0..1.

        Returns:
            float [N, 128, 128, 3], levels to add; 0 where the frame alone is shown.
        """
        planes = patches.permute(0, 3, 1, 2).contiguous()
        picture, opacity = planes[:, :3] / 127.5 - 1, planes[:, 3:]
        means = [picture]
        for side in _SMOOTHED_PX:
            means.append(_mean(means[-1], side))
        bands = [4 * (fine - coarse) for fine, coarse in pairwise(means)]
        given = torch.cat([picture, 4 * (picture - means[-1]), opacity], 1)
        x = functional.relu(self.begin(functional.pixel_unshuffle(given, _FOLD)))
        out = functional.pixel_shuffle(self.end(self.body(x)), _FOLD)
        detail = out[:, len(bands) :]
        for index, band in enumerate(bands):
            detail = detail + out[:, index : index + 1] * band
        coarse = _mean(functional.avg_pool2d(detail, _FOLD), 3)
        mean = functional.interpolate(coarse, scale_factor=_FOLD, mode="bilinear")
        return ((detail - mean) * opacity * 127.5).permute(0, 2, 3, 1)


class _Unit(nn.Module):
    """Two 3x3 convolutions, the first dilated, added to their input."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Float [N, C, H, W] to the same shape."""
        return x + self.second(functional.relu(self.first(x)))


def _mean(picture: Tensor, side: int) -> Tensor:
    """Mean over the square of an odd side about each pixel, as far as it lies inside."""
    return functional.avg_pool2d(picture, side, 1, side // 2, count_include_pad=False)
