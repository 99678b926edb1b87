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


def test_minimax_equals_equation_1():
    value = discriminator_minimax(logit(0.8), logit(0.3))
    assert float(value) == pytest.approx(-(math.log(0.8) + math.log(0.7)), rel=1e-5)
    assert float(generator_minimax(logit(0.3))) == pytest.approx(-math.log(0.3), rel=1e-5)


def test_minimax_at_even_odds_has_no_gradient():
    even = torch.zeros(4, requires_grad=True)
    (discriminator_minimax(even, even)).backward()
    assert even.grad is not None
    assert even.grad.abs().max() < 1e-6


def test_generator_minimax_of_sure_discriminator_has_gradient():
    sure = torch.tensor([-20.0], requires_grad=True)
    generator_minimax(sure).backward()
    assert sure.grad is not None
    assert float(sure.grad) == pytest.approx(-1, abs=1e-3)


def test_completion_mse_sums_autoencoders_in_the_hole():
    truth, valid_holes = torch.zeros(1, 3, 4, 4), torch.zeros(1, 1, 4, 4)
    valid_holes[..., :2, :] = 1
    first, second = torch.full_like(truth, 0.5), torch.full_like(truth, 0.1)
    second[..., 2:, :] = 9  # outside the hole: of no account
    assert float(completion_mse([first, second], truth, valid_holes)) == pytest.approx(
        0.26, rel=1e-5
    )
    assert float(completion_mse([first], truth, valid_holes)) == pytest.approx(0.25, rel=1e-5)


def test_completion_mse_of_empty_hole_is_zero():
    truth = torch.zeros(1, 3, 4, 4)
    assert completion_mse([truth + 1], truth, torch.zeros(1, 1, 4, 4)) == 0
