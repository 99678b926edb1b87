"""Balances a crop's colours towards usual skin, so that colour casts and dark frames fill well."""

from __future__ import annotations

import torch
from torch import Tensor, nn

# The mean colour of training faces, weighted as in `_skin_weights`, RGB in 0..1.
_USUAL_SKIN = (0.713, 0.529, 0.442)
# The part of the crop that is looked at, in pixels: the face without its surroundings.
_FACE_ROWS, _FACE_COLUMNS = slice(20, 96), slice(20, 108)
# Pixels count by a Gaussian round this place below the eyes; further off are hair and background.
_CENTRE_X_PX, _CENTRE_Y_PX, _SIGMA_PX = 63.5, 60.0, 16.0
# The exponent of the gains: 0 leaves the colours, 1 makes the mean skin colour the usual one.
_BALANCE = 0.7
# Gains outside these bounds would come from a wrong mean.
_LEAST_GAIN, _GREATEST_GAIN = 0.55, 1.8
# How fast a pixel's weight grows with its warmth, (R - B) / (R + G + B): hats, glasses and dark
# hair are colder than skin. Above _WARMEST it grows no further: fair hair is warmer than skin.
_WARMTH_SLOPE, _WARMEST = 12.0, 0.15
_DARK = 0.1  # added to R + G + B, so that the warmth of dark pixels is near 0
_PRIOR_PX = 20  # pixels of usual skin counted as seen, so that few known pixels decide nothing


class ColourBalance(nn.Module):
    """Computes how far to move a crop's colours towards usual skin.

    Its constants are buffers: making them anew in each call would copy them to the GPU, which a
    CUDA graph cannot record.
    """

    usual_skin: Tensor
    place_weights: Tensor

    def __init__(self) -> None:
        super().__init__()
        usual = torch.tensor(_USUAL_SKIN).view(1, 3, 1, 1)
        self.register_buffer("usual_skin", usual, persistent=False)
        rows, columns = (
            torch.arange(part.start, part.stop, dtype=torch.float32)
            for part in (_FACE_ROWS, _FACE_COLUMNS)
        )
        off = (rows[:, None] - _CENTRE_Y_PX).square() + (columns - _CENTRE_X_PX).square()
        weights = torch.exp(off / (-2 * _SIGMA_PX**2))[None, None]
        self._prior = float(_PRIOR_PX * _skin_weights(usual))
        self.register_buffer("place_weights", weights, persistent=False)

    def forward(self, crops: Tensor, holes: Tensor) -> Tensor:
        """Compute the gains of the colours.

        Args:
            crops: float [N, 3, 128, 128], RGB in [0, 1].
            holes: float [N, 1, 128, 128], 1 in the hole; only known pixels count.

        Returns:
            float [N, 3, 1, 1], to multiply the crop with, and to divide the fill by.
        """
        part = crops[:, :, _FACE_ROWS, _FACE_COLUMNS]
        known = 1 - holes[:, :, _FACE_ROWS, _FACE_COLUMNS]
        weights = _skin_weights(part) * known * self.place_weights
        total = (part * weights).sum((2, 3), keepdim=True) + self._prior * self.usual_skin
        mean = total / (weights.sum((2, 3), keepdim=True) + self._prior)
        gains = (self.usual_skin / mean.clamp_min(0.02)).pow(_BALANCE)
        return gains.clamp(_LEAST_GAIN, _GREATEST_GAIN)


def _skin_weights(colours: Tensor) -> Tensor:
    """How much pixels count as skin, by brightness and warmth: [N, 3, H, W] to [N, 1, H, W]."""
    light = colours.sum(1, keepdim=True)
    warmth = (colours[:, :1] - colours[:, 2:]) / (light + _DARK)
    return light * torch.exp(_WARMTH_SLOPE * warmth.clamp_max(_WARMEST))
