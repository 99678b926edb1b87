"""Finds channels that say the same: merges the pair that costs least until few enough are left."""

from __future__ import annotations

import torch
from torch import Tensor


def merge_channels(gram: Tensor, keep: int) -> Tensor:
    """Choose how to replace channels by fewer, each a mixture of some.

    Two channels in a fixed proportion to each other are one: the reader loses nothing where both
    are replaced by their sum. How far a pair is from it is the smaller eigenvalue of its second
    moments, the larger one's eigenvector is what stands for both from then on. Pairs are merged,
    the cheapest first, until `keep` are left.

    Args:
        gram: float [C, C], sums of products of the channels over many pixels, none negative: of
            what a ReLU gives, each channel weighed as its readers weigh it.
        keep: how many channels to leave, 1..C.

    Returns:
        float64 [keep, C]: the mixtures, rows of unit length, nothing negative, one channel in one
        row, in the order of each row's first channel.
    """
    work = gram.double().clone()
    count = len(work)
    mixtures = torch.eye(count, dtype=torch.float64)
    alive = torch.ones(count, dtype=torch.bool)
    costs = _pair_costs(work)
    for _ in range(count - keep):
        first, second = divmod(int(costs.argmin()), count)
        u, v = _stand_in(work, first, second)
        mixtures[first] = u * mixtures[first] + v * mixtures[second]
        work[first] = u * work[first] + v * work[second]
        work[:, first] = u * work[:, first] + v * work[:, second]
        alive[second] = False
        costs[second], costs[:, second] = torch.inf, torch.inf
        costs[first] = torch.where(alive, _costs_of(work, first), torch.inf)
        costs[first, first] = torch.inf
        costs[:, first] = costs[first]
    return mixtures[alive]


def _pair_costs(gram: Tensor) -> Tensor:
    costs = torch.stack([_costs_of(gram, row) for row in range(len(gram))])
    return costs.fill_diagonal_(torch.inf)


def _costs_of(gram: Tensor, row: int) -> Tensor:
    """Smaller eigenvalue of the 2x2 second moments of one channel with each; float64 [C]."""
    ours, theirs, both = gram[row, row], gram.diagonal(), gram[row]
    return (ours + theirs - ((ours - theirs) ** 2 + 4 * both**2).sqrt()) / 2


def _stand_in(gram: Tensor, first: int, second: int) -> tuple[float, float]:
    """Unit vector along which the pair has most energy: neither part negative."""
    pair = gram[[first, second]][:, [first, second]]
    u, v = torch.linalg.eigh(pair).eigenvectors[:, -1].abs().tolist()
    return u, v
