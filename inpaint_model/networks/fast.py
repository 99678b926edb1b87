"""The `fast` generator: a small U-Net that fills holes in canonical crops (torch definition)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from inpaint_model.networks.colour_balance import ColourBalance
from inpaint_model.networks.layers import ConvUnit, UpUnit


class ResidualUnit(nn.Module):
    """Two 3x3 convolutions, the first dilated, added to their input."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.first = ConvUnit(channels, channels, dilation=dilation)
        self.second = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Float [N, C, H, W] to the same shape."""
        return functional.relu(x + self.second(self.first(x)))


def _fuse(channels: int) -> nn.Sequential:
    """Join what came up with what the same scale had on the way down, [N, 2C, H, W], into [N, C, H, W]."""
    return nn.Sequential(ConvUnit(2 * channels, channels), ResidualUnit(channels, 1))


def fast_widths(width: int) -> tuple[int, int, int, int]:
    """Channels of a `FastGenerator` at 64, 32, 16 and 8 pixels from those at 64; 32 is the usual width."""
    return width, width * 3 // 2, width * 3, width * 6


class FastGenerator(nn.Module):
    """A U-Net of four scales (64, 32, 16 and 8 pixels) with residual units, dilated at the coarse two.

    Args:
        widths: channels at 64, 32, 16 and 8 pixels.
        dilations_16: dilations of the residual units at 16x16, one unit each.
        dilations_8: dilations of the residual units at 8x8, one unit each.
    """

    def __init__(
        self,
        widths: tuple[int, int, int, int] = fast_widths(32),
        dilations_16: tuple[int, ...] = (1, 2),
        dilations_8: tuple[int, ...] = (1, 2, 1, 2),
    ) -> None:
        super().__init__()
        w64, w32, w16, w8 = widths
        self.down64 = ConvUnit(4, w64, 5, 2)
        self.down32 = ConvUnit(w64, w32, 3, 2)
        self.down16 = ConvUnit(w32, w16, 3, 2)
        self.body16 = nn.Sequential(*(ResidualUnit(w16, d) for d in dilations_16))
        self.down8 = ConvUnit(w16, w8, 3, 2)
        self.body8 = nn.Sequential(*(ResidualUnit(w8, d) for d in dilations_8))
        self.up16 = UpUnit(w8, w16)
        self.fuse16 = _fuse(w16)
        self.up32 = UpUnit(w16, w32)
        self.fuse32 = _fuse(w32)
        self.up64 = UpUnit(w32, w64)
        self.fuse64 = _fuse(w64)
        self.to_rgb = nn.Sequential(nn.Conv2d(w64, 12, 3, padding=1), nn.PixelShuffle(2))
        self.colour_balance = ColourBalance()

    def forward(self, crops: Tensor, holes: Tensor) -> Tensor:
        """Fill the holes.

        Args:
            crops: float [N, 3, 128, 128], RGB in [-1, 1].
            holes: float [N, 1, 128, 128], 1 where to fill, 2 where what to fill lies beside the face.

        Returns:
            float [N, 3, 128, 128], RGB about [-1, 1], the network's output, not composited.
        """
        bright = (crops + 1) / 2
        filled = holes.clamp(max=1)
        gains = self.colour_balance(bright, filled)
        balanced = bright * gains * 2 - 1  # a bright background may lie above 1
        given = torch.cat([balanced * (1 - filled), holes], 1)
        return (self._run(given) + 1) / gains - 1

    def _run(self, given: Tensor) -> Tensor:
        dtype = next(self.parameters()).dtype  # fp16 after `half_convolutions`
        if dtype == given.dtype:  # the exporter would write a cast even to the same type
            return self._layers(given)
        return self._layers(given.to(dtype)).to(given.dtype)

    def _layers(self, given: Tensor) -> Tensor:
        at64 = self.down64(given)
        at32 = self.down32(at64)
        at16 = self.body16(self.down16(at32))
        x = self.up16(self.body8(self.down8(at16)))
        x = self.up32(self.fuse16(torch.cat([x, at16], 1)))
        x = self.up64(self.fuse32(torch.cat([x, at32], 1)))
        return self.to_rgb(self.fuse64(torch.cat([x, at64], 1)))
