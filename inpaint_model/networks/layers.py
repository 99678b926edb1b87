"""Layers that the networks share, fusing of batch norms, fp16, and counting of operations."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

Convolution = nn.Conv2d | nn.ConvTranspose2d


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


def make_identity(norm: nn.BatchNorm2d, bias: Tensor) -> None:
    """Make a batch norm, in evaluation mode, the identity plus a bias, float [channels]."""
    norm.weight.data = torch.ones_like(bias)
    norm.bias.data = bias
    norm.running_mean = torch.zeros_like(bias)
    norm.running_var = torch.full_like(bias, 1 - norm.eps)


def fuse_batch_norms(net: nn.Module) -> None:
    """Fold each batch norm into the convolution before it, in place; for inference only."""
    for unit in list(net.modules()):
        if not isinstance(unit, nn.Sequential):
            continue
        for index in range(len(unit) - 1):
            conv, norm = unit[index], unit[index + 1]
            if isinstance(conv, Convolution) and isinstance(norm, nn.BatchNorm2d):
                transposed = isinstance(conv, nn.ConvTranspose2d)
                unit[index] = fuse_conv_bn_eval(conv, norm, transpose=transposed)
                unit[index + 1] = nn.Identity()


def half_convolutions(net: nn.Module) -> None:
    """Turn convolutions and batch norms to fp16, in place; inputs and the colour balance stay fp32."""
    for layer in net.modules():
        if isinstance(layer, Convolution | nn.BatchNorm2d):
            layer.half()


def flops(net: nn.Module, size: int = 128) -> float:
    """Count the floating-point operations for one crop, in GFLOP; a multiply-add counts as two."""
    from torch.utils.flop_counter import FlopCounterMode

    was_training = net.training
    net.eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        device = next(net.parameters()).device
        crops = torch.zeros(1, 3, size, size, device=device)
        net(crops, torch.zeros(1, 1, size, size, device=device))
    net.train(was_training)
    return counter.get_total_flops() / 1e9
