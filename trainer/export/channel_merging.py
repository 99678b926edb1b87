"""Merges redundant channels: the pair of least cost, until few enough are left."""

from __future__ import annotations

import torch
from torch import Tensor


def merge_channels(gram: Tensor, keep: int) -> Tensor:
    """Choose mixtures that replace channels by fewer.

    Two proportional channels carry the same information, and their sum replaces both without loss. The
    cost of merging a pair is the smaller eigenvalue of its second moments; the eigenvector of the larger
    one is the mixture. The cheapest pair is merged first, until `keep` channels are left.

    Args:
        gram: float [C, C], sums of products of the channels over many pixels, after their ReLU (none
            negative) and scaled by the weights that read them.
        keep: number of channels to leave, 1..C.

    Returns:
        float64 [keep, C]: non-negative mixtures, rows of unit length; each channel is in one row, and the
        rows are in the order of their first channels.
    """
    work = gram.double().clone()
    count = len(work)
    mixtures = torch.eye(count, dtype=torch.float64)
    alive = torch.ones(count, dtype=torch.bool)
    costs = _pair_costs(work)
    for _ in range(count - keep):
        first, second = divmod(int(costs.argmin()), count)
        u, v = _principal_direction(work, first, second)
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
    """Return the smaller eigenvalue of the second moments of one channel with each; float64 [C]."""
    ours, theirs, both = gram[row, row], gram.diagonal(), gram[row]
    return (ours + theirs - ((ours - theirs) ** 2 + 4 * both**2).sqrt()) / 2


def _principal_direction(gram: Tensor, first: int, second: int) -> tuple[float, float]:
    """Return the principal direction of a pair: a unit vector, neither part negative."""
    pair = gram[[first, second]][:, [first, second]]
    u, v = torch.linalg.eigh(pair).eigenvectors[:, -1].abs().tolist()
    return u, v
