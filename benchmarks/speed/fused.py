"""A candidate for torch's engine on a GPU: convolution, bias and ReLU as one kernel of cuDNN."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from inpaint_model.networks.layers import fuse_batch_norms


class ConvolutionAndRelu(nn.Module):
    """A convolution and the ReLU after it, which cuDNN computes together.

    torch runs convolution, bias and ReLU as three kernels, and the last two read and write the whole
    output again: in the first layers of `paper` that takes as long as the convolution.

    Args:
        convolution: with a bias, without groups.
    """

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.convolution = convolution

    def forward(self, x: Tensor) -> Tensor:
        """Float [N, C, H, W] to what the convolution gives, at least 0."""
        conv = self.convolution
        assert not isinstance(conv.padding, str)
        shape = conv.stride, conv.padding, conv.dilation, conv.groups
        return torch.cudnn_convolution_relu(x, conv.weight, conv.bias, *shape)


def fuse_relus(net: nn.Module) -> None:
    """Fold batch norms, then each ReLU, into the convolution before them, in place."""
    fuse_batch_norms(net)
    for unit in list(net.modules()):
        if not isinstance(unit, nn.Sequential):
            continue
        layers = list(unit)
        for index, (convolution, between, last) in enumerate(
            zip(layers, layers[1:], layers[2:], strict=False)
        ):
            if (
                isinstance(convolution, nn.Conv2d)
                and isinstance(between, nn.Identity)
                and isinstance(last, nn.ReLU)
            ):
                unit[index], unit[index + 2] = ConvolutionAndRelu(convolution), nn.Identity()
