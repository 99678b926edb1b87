"""The face aligner's losses: the hardest negatives alone count, and points only where there is a face."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from trainer.losses.aligner_losses import aligner_losses, anchor_points, point_errors


def _face(mask: float, x: float, y: float, across: float, down: float) -> list[float]:
    return [1.0, mask, x, y, across, down]


def _loss(found: Tensor, wanted: Tensor) -> dict[str, float]:
    return {name: float(value) for name, value in aligner_losses(found, wanted).items()}


def test_anchor_points_follow_the_direction():
    upright = torch.tensor([_face(0, 0, 0, 0.375, 0), _face(0, 0, 0, 0, 0.375)])
    points = anchor_points(upright) * 128
    assert torch.allclose(points[0, :, 0], torch.tensor([-23.5, 24.5, 0.5]))
    assert torch.allclose(points[0, :, 1], torch.tensor([-17.5, -17.5, 32.5]))
    assert torch.allclose(points[1, :, 0], -points[0, :, 1])  # a quarter turn, clockwise as seen
    assert torch.allclose(points[1, :, 1], points[0, :, 0])


def test_point_errors_are_crop_pixels():
    wanted = torch.tensor([_face(1, 0, 0, 0.375, 0)])
    moved = wanted.clone()
    moved[0, 2] += 3 / 128
    assert point_errors(moved, wanted).item() == pytest.approx(3, rel=1e-4)


def test_aligner_losses_of_right_answer_vanish():
    wanted = torch.tensor([_face(1, 0.1, 0, 0.3, 0.1), _face(0, 0, 0, 0.4, 0), [0.0] * 6])
    found = wanted.clone()
    found[:, :2] = torch.tensor([[20.0, 20.0], [20.0, -20.0], [-20.0, 20.0]])
    assert sum(_loss(found, wanted).values()) < 1e-6
    found[0, 2] += 0.1
    assert _loss(found, wanted)["points"] > 0.1


def test_aligner_losses_count_hardest_negatives_alone():
    wanted = torch.zeros(5, 6)
    wanted[0] = torch.tensor(_face(0, 0, 0, 0.375, 0))
    found = torch.zeros(5, 6)
    found[:, 0] = torch.tensor([1.0, -4.0, 2.0, -3.0, 3.0])
    found.requires_grad_()
    aligner_losses(found, wanted)["face"].backward()
    assert found.grad is not None
    assert (found.grad[:, 0] != 0).tolist() == [True, False, True, False, True]


def test_aligner_losses_without_faces_are_finite():
    losses = _loss(torch.randn(4, 6), torch.zeros(4, 6))
    assert losses["face"] > 0 and losses["mask"] == losses["points"] == 0
