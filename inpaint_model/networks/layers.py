"""Layers the generators share, and the count of what a network computes."""

from __future__ import annotations

import torch
from torch import nn


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


class UpUnit(nn.Sequential):
    """Transposed 4x4 convolution of stride 2, batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(
            nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        )


def flops(net: nn.Module, size: int = 128) -> float:
    """Count the floating-point operations of one crop (two a multiply-add), in GFLOP."""
    from torch.utils.flop_counter import FlopCounterMode

    was_training = net.training
    net.eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        device = next(net.parameters()).device
        crops = torch.zeros(1, 3, size, size, device=device)
        net(crops, torch.zeros(1, 1, size, size, device=device))
    net.train(was_training)
    return counter.get_total_flops() / 1e9
