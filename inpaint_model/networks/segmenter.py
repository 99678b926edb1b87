"""The mask segmenter: a small U-Net over the canonical crop (torch definition)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from inpaint_model.networks.layers import ConvUnit


class MaskSegmenterNet(nn.Module):
    """Segments a worn mask: coarsely at 64x64, then refined at 128x128 together with the crop itself.

    Args:
        widths: channels at 64, 32, 16 and 8 pixels.
        finest: channels of the refinement at 128 pixels.
    """

    def __init__(
        self, widths: tuple[int, int, int, int] = (16, 32, 64, 96), finest: int = 8
    ) -> None:
        super().__init__()
        w64, w32, w16, w8 = widths
        self.down64 = ConvUnit(3, w64, 5, 2)
        self.down32 = nn.Sequential(ConvUnit(w64, w32, 3, 2), ConvUnit(w32, w32))
        self.down16 = nn.Sequential(ConvUnit(w32, w16, 3, 2), ConvUnit(w16, w16))
        self.down8 = nn.Sequential(
            ConvUnit(w16, w8, 3, 2), ConvUnit(w8, w8), ConvUnit(w8, w8, dilation=2)
        )
        self.fuse16 = ConvUnit(w8 + w16, w16)
        self.fuse32 = ConvUnit(w16 + w32, w32)
        self.fuse64 = ConvUnit(w32 + w64, w64)
        self.logits = nn.Conv2d(w64, 2, 3, padding=1)
        self.beside = ConvUnit(2 + 3, finest)
        self.corrections = nn.Conv2d(finest, 2, 3, padding=1)

    def forward(self, crops: Tensor) -> Tensor:
        """Float [N, 3, 128, 128] RGB in [-1, 1] to logits [N, 2, 128, 128] (background, mask)."""
        at64 = self.down64(crops)
        at32 = self.down32(at64)
        at16 = self.down16(at32)
        x = self.fuse16(torch.cat([_upsample(self.down8(at16)), at16], 1))
        x = self.fuse32(torch.cat([_upsample(x), at32], 1))
        x = self.fuse64(torch.cat([_upsample(x), at64], 1))
        coarse = _upsample(margins(self.logits(x)))
        corrections = self.corrections(self.beside(torch.cat([coarse, crops], 1)))
        return (coarse + margins(corrections)) / 2


def margins(logits: Tensor) -> Tensor:
    """Subtract from each of two logits the other, [N, 2, H, W]: the sigmoid then is the softmax."""
    return logits - logits.flip(1)


def _upsample(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
