"""The paper's losses by its equations: minimax (1), completion (2), and joint (3), their sum.

Equation 3 is `completion_mse` plus ALPHA times minimax: the stage `JOINT` of `trainer.presets`. As printed
it omits a D. The paper gives no alpha; ALPHA is that of Iizuka et al. 2017.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

ALPHA = 4e-4


def discriminator_minimax(real: Tensor, fake: Tensor) -> Tensor:
    """Equation 1 for the discriminator: -(log D(x) + log(1 - D(G))), mean over the batch.

    Args:
        real, fake: float [N], logits of true and of filled crops.
    """
    return functional.softplus(-real).mean() + functional.softplus(fake).mean()


def generator_minimax(fake: Tensor) -> Tensor:
    """Equation 1 for the generator: -log D(G), mean over the batch.

    The equation's log(1 - D(G)) has the same fixed point but a vanishing gradient when the discriminator
    is sure; this is the usual non-saturating form (Goodfellow et al. 2014, section 3).

    Args:
        fake: float [N], logits of filled crops.
    """
    return functional.softplus(-fake).mean()


def completion_mse(pictures: list[Tensor], truth: Tensor, valid_holes: Tensor) -> Tensor:
    """Equation 2: mean squared error inside the hole, summed over the autoencoders.

    Args:
        pictures: float [N, 3, H, W] of each autoencoder, in [-1, 1].
        truth: float [N, 3, H, W].
        valid_holes: float [N, 1, H, W], 1 on hole pixels whose truth is known.
    """
    count = 3 * valid_holes.sum().clamp_min(1)
    errors = [((picture - truth) ** 2 * valid_holes).sum() / count for picture in pictures]
    return sum(errors[1:], errors[0])
