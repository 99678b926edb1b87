"""Networks for tests."""

from __future__ import annotations

from torch import nn


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
