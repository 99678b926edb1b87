"""A light patch discriminator with spectral norm: judges patches inside the hole only."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm


class PatchDiscriminator(nn.Module):
    """Four 5x5 stride-2 convolutions and a 3x3 one to a logit for each of 8x8 patches.

    Args:
        widths: channels of the four convolutions.
    """

    def __init__(self, widths: tuple[int, ...] = (32, 64, 128, 128)) -> None:
        super().__init__()
        inputs = (3, *widths)
        self.stages = nn.ModuleList(
            spectral_norm(nn.Conv2d(a, b, 5, 2, 2)) for a, b in zip(inputs, widths, strict=False)
        )
        self.logit = spectral_norm(nn.Conv2d(widths[-1], 1, 3, padding=1))

    def forward(self, crops: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Judge float [N, 3, 128, 128] in [-1, 1]; return logits [N, 1, 8, 8] and feature maps."""
        x, features = crops, []
        for stage in self.stages:
            x = functional.leaky_relu(stage(x), 0.2)
            features.append(x)
        return self.logit(x), features


def patch_weights(holes: Tensor, size: int) -> Tensor:
    """Weigh each patch by the hole's share of it, 0 below one half; float [N, 1, size, size], sum 1."""
    share = functional.adaptive_avg_pool2d(holes, size)
    weight = torch.where(share > 0.5, share, torch.zeros_like(share))
    return weight / weight.sum().clamp_min(1e-6)


def hinge_discriminator_loss(real: Tensor, fake: Tensor, weight: Tensor) -> Tensor:
    """Hinge loss over the weighted patches (Lim and Ye 2017)."""
    return (weight * (functional.relu(1 - real) + functional.relu(1 + fake))).sum()


def hinge_generator_loss(fake: Tensor, weight: Tensor) -> Tensor:
    """Hinge loss of the generator over the weighted patches."""
    return -(weight * fake).sum()


def feature_matching(real: list[Tensor], fake: list[Tensor]) -> Tensor:
    """Mean L1 between the discriminator's feature maps, each relative to the real map's mean."""
    terms = [
        (r.detach() - f).abs().mean() / r.detach().abs().mean().clamp_min(1e-3)
        for r, f in zip(real, fake, strict=True)
    ]
    return torch.stack(terms).mean()
