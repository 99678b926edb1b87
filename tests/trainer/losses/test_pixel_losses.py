"""Losses on pixels: what each of them penalises and what it ignores."""

from __future__ import annotations

import torch

from trainer.losses.pixel_losses import colour_loss, gradient_loss


def test_gradient_loss_penalises_a_grid():
    none, inside = torch.zeros(1, 3, 16, 16), torch.ones(1, 1, 16, 16)
    grid = none.clone()
    grid[..., ::2] = 0.1
    assert gradient_loss(none, inside) == 0
    assert gradient_loss(grid, inside) > 10 * gradient_loss(none + 0.05, inside)


def test_colour_loss_ignores_brightness_and_fine_noise():
    none, inside = torch.zeros(1, 3, 16, 16), torch.ones(1, 1, 16, 16)
    greener, noise = none.clone(), none.clone()
    greener[:, 1] = 0.2
    noise[:, 1, :, ::2], noise[:, 1, :, 1::2] = 0.2, -0.2
    patch = float(colour_loss(greener, inside))
    assert patch > 0.05
    assert colour_loss(none - 0.2, inside) < 1e-6
    assert colour_loss(noise, inside) < 0.4 * patch
    assert colour_loss(0 * greener, 0 * inside) == 0


def test_gradient_loss_counts_pixels_inside_the_mask():
    torch.manual_seed(0)
    mask = (torch.rand(2, 1, 16, 16) > 0.5).float()
    error = (torch.randn(2, 3, 16, 16) * mask).requires_grad_()
    across = (error[..., 1:] - error[..., :-1]).abs() * mask[..., 1:]
    down = (error[..., 1:, :] - error[..., :-1, :]).abs() * mask[..., 1:, :]
    wanted = (across.sum() + down.sum()) / (6 * mask.sum())
    loss = gradient_loss(error, mask)
    assert torch.allclose(loss, wanted, rtol=1e-5)
    ours, theirs = (torch.autograd.grad(value, error)[0] for value in (loss, wanted))
    assert torch.allclose(ours, theirs, atol=1e-6)
