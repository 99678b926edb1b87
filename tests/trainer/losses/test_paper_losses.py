"""The paper's equations on cases small enough to work out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from trainer.losses.paper_losses import (
    completion_mse,
    discriminator_minimax,
    generator_minimax,
)


def logit(share: float) -> torch.Tensor:
    return torch.tensor([math.log(share / (1 - share))])


def test_minimax_is_equation_1():
    value = discriminator_minimax(logit(0.8), logit(0.3))
    assert float(value) == pytest.approx(-(math.log(0.8) + math.log(0.7)), rel=1e-5)
    assert float(generator_minimax(logit(0.3))) == pytest.approx(-math.log(0.3), rel=1e-5)


def test_neither_player_can_gain_at_even_odds():
    even = torch.zeros(4, requires_grad=True)
    (discriminator_minimax(even, even)).backward()
    assert even.grad is not None
    assert even.grad.abs().max() < 1e-6


def test_a_sure_discriminator_still_teaches():
    sure = torch.tensor([-20.0], requires_grad=True)
    generator_minimax(sure).backward()
    assert sure.grad is not None
    assert float(sure.grad) == pytest.approx(-1, abs=1e-3)


def test_completion_counts_hole_pixels_of_every_autoencoder():
    truth, counted = torch.zeros(1, 3, 4, 4), torch.zeros(1, 1, 4, 4)
    counted[..., :2, :] = 1
    first, second = torch.full_like(truth, 0.5), torch.full_like(truth, 0.1)
    second[..., 2:, :] = 9  # outside the hole: of no account
    assert float(completion_mse([first, second], truth, counted)) == pytest.approx(0.26, rel=1e-5)
    assert float(completion_mse([first], truth, counted)) == pytest.approx(0.25, rel=1e-5)


def test_an_empty_hole_costs_nothing():
    truth = torch.zeros(1, 3, 4, 4)
    assert completion_mse([truth + 1], truth, torch.zeros(1, 1, 4, 4)) == 0
