"""The finish on the device equals that of NumPy and OpenCV, pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from trainer.augment import batch_augment, finish
from trainer.augment.batch_augment import finish_views, inside_boxes, pack_finish, pack_views
from trainer.augment.finish import Jitter, finish_view, random_colours, random_finish
from trainer.augment.views import bare_view, draw_view, records_of
from trainer.data.face_set import FaceSet

_STRONG = Jitter(rotation_deg=10, scale=0.15, shift_px=8, colour=0.8)


@pytest.mark.parametrize("kind", ["masks", "squares"])
def test_finish_views_equals_opencv(wide_faces: FaceSet, kind: str):
    rng = np.random.default_rng(0)
    if kind == "masks":
        views = [draw_view(wide_faces, index, rng) for index in range(12)]
    else:
        views = [bare_view(wide_faces.canonical(), index) for index in range(12)]
    drawn = random_finish(records_of(views), _STRONG, rng, kind)
    want = [finish_view(view, drawn, index) for index, view in enumerate(views)]
    packed = pack_views(views)
    got = finish_views(packed, torch.from_numpy(pack_finish(drawn, packed.shape[-1])))
    crops, holes, valid, beside = (np.stack(part) for part in zip(*want, strict=True))
    error = np.abs(got.levels.permute(0, 2, 3, 1).numpy() - crops)
    assert error.mean() < 0.01 and error.max() <= 4  # rounding, and what the colours make of it
    assert (got.holes[:, 0].numpy() != holes).mean() < 1e-4
    assert (got.valid[:, 0].numpy() != valid).mean() < 1e-4
    assert (got.beside[:, 0].numpy() != beside).mean() < 1e-4
    assert holes.any((1, 2)).all() and not valid.all()
    assert beside.any() == (kind == "masks")


def test_recolour_applies_grey_and_colour_cast(faces: FaceSet):
    crops = faces.crops[:2]
    colours = np.array([[1.4, 1.0, 0.7, 1.0, 0.0], [1.4, 1.0, 0.7, 1.0, 1.0]])
    levels = torch.from_numpy(crops).permute(0, 3, 1, 2).float()
    out = batch_augment.recolour(levels, torch.from_numpy(colours).float())
    out = out.permute(0, 2, 3, 1).numpy()
    assert np.ptp(out[0], axis=-1).max() == 0
    assert out[1, ..., 0].mean() < crops[1, ..., 0].mean() - 5
    assert out[1, ..., 2].mean() > crops[1, ..., 2].mean() + 5
    for index in range(2):
        want = finish.recolour(crops[index], colours[index])
        assert np.abs(out[index] - want).max() <= 1


def test_recolour_without_strength_changes_nothing(faces: FaceSet):
    colours = random_colours(0.0, np.random.default_rng(0), 1)
    assert np.array_equal(finish.recolour(faces.crops[0], colours[0]), faces.crops[0])
    levels = torch.from_numpy(faces.crops[:1]).permute(0, 3, 1, 2).float()
    assert torch.equal(batch_augment.recolour(levels, torch.from_numpy(colours)), levels.double())


def test_inside_boxes_marks_their_pixels():
    boxes = torch.tensor([[3, 5, 10, 128], [0, 0, 0, 0]])
    inside = inside_boxes(boxes)
    want = torch.zeros(128, 128, dtype=torch.bool)
    want[5:128, 3:10] = True
    assert torch.equal(inside[0, 0], want)
    assert not inside[1].any()
