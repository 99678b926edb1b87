"""The `fast` generator: a small U-Net that fills holes in canonical crops (torch definition)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class ConvUnit(nn.Sequential):
    """Convolution, batch norm, ReLU; "same" padding."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1, dilation: int = 1
    ) -> None:
        padding = dilation * (kernel - 1) // 2
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        )


class ResidualUnit(nn.Module):
    """Two 3x3 convolutions, the first dilated, added to their input."""

    def __init__(self, channels: int, dilation: int = 1) -> None:
        super().__init__()
        self.first = ConvUnit(channels, channels, dilation=dilation)
        self.second = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Float [N, C, H, W] to the same shape."""
        return functional.relu(x + self.second(self.first(x)))


class UpUnit(nn.Sequential):
    """Transposed 4x4 convolution of stride 2, batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(
            nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        )


# Mean colour of the training faces between brow and cheek, RGB in 0..1, and that place in the crop.
_USUAL_SKIN = (0.653, 0.494, 0.411)
_SKIN_ROWS, _SKIN_COLUMNS = slice(26, 60), slice(36, 92)
_BALANCE = 0.6


def skin_gains(crops: Tensor, holes: Tensor) -> Tensor:
    """How far to move a crop's colours towards usual skin, so that casts and dark frames fill well.

    Args:
        crops: float [N, 3, 128, 128], RGB in [0, 1].
        holes: float [N, 1, 128, 128]; only known pixels count.

    Returns:
        float [N, 3, 1, 1], to multiply the crop with, and to divide the fill by.
    """
    known = 1 - holes[:, :, _SKIN_ROWS, _SKIN_COLUMNS]
    usual = torch.tensor(_USUAL_SKIN, dtype=crops.dtype, device=crops.device).view(1, 3, 1, 1)
    # Half a hundred pixels of usual skin are taken as seen, so that few known ones decide nothing.
    total = (crops[:, :, _SKIN_ROWS, _SKIN_COLUMNS] * known).sum((2, 3), keepdim=True) + 50 * usual
    mean = total / (known.sum((2, 3), keepdim=True) + 50)
    return (usual / mean.clamp_min(0.02)).pow(_BALANCE).clamp(0.55, 1.8)


class StudentGenerator(nn.Module):
    """A U-Net of four scales (64, 32, 16 and 8 pixels) with dilated residual units at the coarse two.

    Args:
        widths: channels at 64, 32, 16 and 8 pixels.
        dilations_16: one residual unit at 16x16 for each.
        dilations_8: one residual unit at 8x8 for each.
    """

    def __init__(
        self,
        widths: tuple[int, int, int, int] = (32, 48, 96, 192),
        dilations_16: tuple[int, ...] = (1, 2),
        dilations_8: tuple[int, ...] = (1, 2),
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
        self.fuse16 = ConvUnit(2 * w16, w16)
        self.up32 = UpUnit(w16, w32)
        self.fuse32 = ConvUnit(2 * w32, w32)
        self.up64 = UpUnit(w32, w64)
        self.fuse64 = ConvUnit(2 * w64, w64)
        self.to_rgb = nn.Sequential(nn.Conv2d(w64, 12, 3, padding=1), nn.PixelShuffle(2))

    def forward(self, crops: Tensor, holes: Tensor) -> Tensor:
        """Fill the holes.

        Args:
            crops: float [N, 3, 128, 128], RGB in [-1, 1].
            holes: float [N, 1, 128, 128], 1 where to fill.

        Returns:
            float [N, 3, 128, 128], RGB about [-1, 1], the network's own picture (not composited).
        """
        bright = (crops + 1) / 2
        gains = skin_gains(bright, holes)
        balanced = (bright * gains).clamp(0, 1) * 2 - 1
        given = torch.cat([balanced * (1 - holes), holes], 1)
        at64 = self.down64(given)
        at32 = self.down32(at64)
        at16 = self.body16(self.down16(at32))
        x = self.up16(self.body8(self.down8(at16)))
        x = self.up32(self.fuse16(torch.cat([x, at16], 1)))
        x = self.up64(self.fuse32(torch.cat([x, at32], 1)))
        out = self.to_rgb(self.fuse64(torch.cat([x, at64], 1)))
        return (out + 1) / gains - 1


def flops(net: nn.Module, size: int = 128) -> float:
    """Count the floating-point operations of one crop (two a multiply-add), in GFLOP."""
    from torch.utils.flop_counter import FlopCounterMode

    was_training = net.training
    net.eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        net(torch.zeros(1, 3, size, size), torch.zeros(1, 1, size, size))
    net.train(was_training)
    return counter.get_total_flops() / 1e9
