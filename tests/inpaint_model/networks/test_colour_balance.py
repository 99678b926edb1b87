"""Balancing colours: a cast is taken back, and what is no skin has little to say."""

from __future__ import annotations

import torch

from inpaint_model.networks.colour_balance import ColourBalance

SKIN = torch.tensor([0.72, 0.53, 0.45]).view(1, 3, 1, 1)
NO_HOLE = torch.zeros(1, 1, 128, 128)
BALANCE = ColourBalance()


def face(tint: tuple[float, float, float] = (1, 1, 1)) -> torch.Tensor:
    return (SKIN * torch.tensor(tint).view(1, 3, 1, 1)).expand(1, 3, 128, 128).clone()


def test_usual_skin_is_left_about_as_it_is():
    assert (BALANCE(face(), NO_HOLE) - 1).abs().max() < 0.03


def test_a_cast_is_moved_towards_usual_skin():
    red, green, blue = BALANCE(face((1.2, 1.0, 0.6)), NO_HOLE).flatten().tolist()
    assert red < green < blue
    assert BALANCE(face((0.4, 0.4, 0.4)), NO_HOLE).min() > 1.4  # a dark frame


def test_a_dark_hat_or_a_white_one_says_little():
    for hat in (0.05, 0.95):
        crop = face()
        crop[..., :50, :] = hat
        assert (BALANCE(crop, NO_HOLE) - 1).abs().max() < 0.17, hat


def test_fair_hair_over_the_forehead_says_little():
    crop = face()
    crop[..., :44, :] = torch.tensor([0.75, 0.6, 0.25]).view(1, 3, 1, 1)
    crop[..., :22], crop[..., 106:] = crop[..., :1, :22], crop[..., :1, 106:]
    assert (BALANCE(crop, NO_HOLE) - 1).abs().max() < 0.1


def test_what_lies_in_the_hole_says_nothing():
    crop, hole = face(), NO_HOLE.clone()
    hole[..., 60:, :] = 1
    before = BALANCE(crop, hole)
    crop[..., 60:, :] = 0
    assert torch.equal(BALANCE(crop, hole), before)
