"""Folds batch norms into the convolutions before them, and restores them for further training."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from inpaint_model.networks.layers import Convolution, make_identity


def convolution_of(layer: nn.Module) -> Convolution:
    """Return the convolution of a `ConvUnit` or `UpUnit`, or the bare convolution given."""
    return next(m for m in layer.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d))


@torch.no_grad()
def folded(layer: nn.Module) -> tuple[Tensor, Tensor]:
    """Fold a unit's batch norm into its convolution.

    Args:
        layer: a unit of `inpaint_model.networks.layers`, or a bare convolution; in evaluation mode.

    Returns:
        Weight, in the convolution's shape, and bias, float [outputs].
    """
    conv = convolution_of(layer)
    weight = conv.weight.clone()
    bias = torch.zeros(conv.out_channels) if conv.bias is None else conv.bias.clone()
    for norm in layer.modules():
        if isinstance(norm, nn.BatchNorm2d):
            assert norm.running_mean is not None and norm.running_var is not None
            statistics = norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias
            transposed = isinstance(conv, nn.ConvTranspose2d)
            weight, bias = fuse_conv_bn_weights(weight, bias, *statistics, transposed)
    return weight.detach(), bias.detach()


def unfold_into(layer: nn.Module, weight: Tensor, bias: Tensor) -> None:
    """Set a unit to a folded convolution; its batch norm becomes the identity plus the bias."""
    conv = convolution_of(layer)
    conv.weight.data = weight
    if conv.bias is not None:
        conv.bias.data = bias
    for norm in layer.modules():
        if isinstance(norm, nn.BatchNorm2d):
            make_identity(norm, bias)


@torch.no_grad()
def restore_batch_norms(net: nn.Module, *inputs: Tensor) -> None:
    """Give folded batch norms the statistics of real inputs, without changing the network's function.

    The norms of an exported file are the identity. In training mode they would normalise inputs that were
    never normalised, and change the network at the first step. Each norm gets mean and variance of its
    input, and the weight and bias that undo them.

    Args:
        net: the network; left in evaluation mode.
        inputs: one batch as the network takes it.
    """

    def restore(norm: nn.Module, given: tuple[Tensor, ...]) -> None:
        assert isinstance(norm, nn.BatchNorm2d)
        assert norm.running_mean is not None and norm.running_var is not None
        scale = norm.weight / (norm.running_var + norm.eps).sqrt()
        offset = norm.bias - norm.running_mean * scale
        mean, variance = given[0].mean((0, 2, 3)), given[0].var((0, 2, 3))
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        norm.weight.copy_(scale * (variance + norm.eps).sqrt())
        norm.bias.copy_(offset + mean * scale)

    norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]
    hooks = [norm.register_forward_pre_hook(restore) for norm in norms]
    try:
        net.eval()(*inputs)
    finally:
        for hook in hooks:
            hook.remove()
