"""Networks for tests."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from inpaint_model.networks.paper import Autoencoder, PaperGenerator


def randomise_batch_norms(net: nn.Module) -> nn.Module:
    """Give the batch norms random statistics, as training would; return the net in evaluation mode."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.2)
            assert module.running_mean is not None and module.running_var is not None
            nn.init.normal_(module.running_mean, 0, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 2)
    return net.eval()


def widened(net: PaperGenerator) -> PaperGenerator:
    """Double a generator's width without changing its function (Net2Net, Chen et al. 2016).

    Every channel is duplicated, and the weights that read it are halved.
    """
    wide = PaperGenerator(len(net.autoencoders), 2 * net.width, balance=net.balance)
    for ours, theirs in zip(wide.autoencoders, net.autoencoders, strict=True):
        assert isinstance(ours, Autoencoder) and isinstance(theirs, Autoencoder)
        last = len(theirs) - 1
        for index, (new, old) in enumerate(zip(ours, theirs, strict=True)):
            state = old.state_dict()
            for name, value in state.items():
                state[name] = _doubled(name, value, old, index == 0, index == last)
            new.load_state_dict(state)
    return wide


def _doubled(name: str, value: Tensor, layer: nn.Module, first: bool, last: bool) -> Tensor:
    if value.ndim == 0:
        return value
    if value.ndim == 1:
        return value if last else torch.cat([value, value])
    transposed = isinstance(next(layer.modules()), nn.Sequential) and isinstance(
        next(layer.children()), nn.ConvTranspose2d
    )
    out_axis, in_axis = (1, 0) if transposed else (0, 1)
    if not last:
        value = torch.cat([value, value], out_axis)
    if not first:
        value = torch.cat([value / 2, value / 2], in_axis)
    return value
