"""Fills taken in several poses: all come back to their place, and their faults cancel."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from inpaint_model import Inpainter, open_inpainter
from inpaint_model.holes import BESIDE_FACE, mark_beside_face
from realtime.align.warp_crop import warp_crop_rgb
from realtime.frames import Face
from realtime.inpaint.self_ensemble import (
    ENSEMBLE_OF_2,
    ENSEMBLE_OF_4,
    Augmentation,
    self_ensemble,
)

AS_IT_IS = (Augmentation(),)


@pytest.fixture(scope="module")
def inpainter() -> Iterator[Inpainter]:
    with open_inpainter("fast") as opened:
        yield opened


@pytest.fixture
def crops(astronaut_rgb: NDArray[np.uint8], astronaut_face: Face) -> NDArray[np.uint8]:
    """The astronaut as she is, and as far aside as a crop may lie."""
    aside = astronaut_face.matrix.copy()
    aside[:, 2] += (3, -2)
    return np.stack([warp_crop_rgb(astronaut_rgb, m)[0] for m in (astronaut_face.matrix, aside)])


@pytest.fixture
def holes() -> NDArray[np.uint8]:
    """A mask's place in the crop."""
    hole = np.zeros((128, 128), np.uint8)
    cv2.ellipse(hole, (64, 88), (34, 28), 0, 0, 360, 1, -1)
    return np.stack([hole] * 2)


@pytest.mark.parametrize("pose", ENSEMBLE_OF_4)
def test_augmentation_undo_brings_the_fill_back(
    pose: Augmentation, crops: NDArray[np.uint8], holes: NDArray[np.uint8]
):
    shown, _ = pose.apply(crops, holes)
    back = pose.undo(shown)
    inside = np.abs(back.astype(int) - crops)[:, 20:108, 20:108]
    assert inside.mean() < 3  # nothing but the loss of drawing it twice
    assert np.percentile(inside, 99) < 25


@pytest.mark.parametrize("pose", ENSEMBLE_OF_4)
def test_augmentation_shows_the_face_in_its_place(pose: Augmentation, holes: NDArray[np.uint8]):
    dot = np.zeros((2, 128, 128, 3), np.uint8)
    dot[:, 60:68, 60:68] = 255
    rows, columns, _ = np.nonzero(pose.apply(dot, holes)[0][0] > 127)
    assert (rows.mean(), columns.mean()) == pytest.approx((63.5, 63.5), abs=0.3)


@pytest.mark.parametrize("pose", ENSEMBLE_OF_4)
def test_no_pixel_of_a_mask_is_shown(pose: Augmentation, holes: NDArray[np.uint8]):
    masked = np.where(holes[..., None] > 0, 255, 0).astype(np.uint8).repeat(3, -1)
    shown, hole = pose.apply(masked, holes)
    assert shown[hole == 0].max() <= 24


def test_self_ensemble_all_augmentations_in_one_batch(
    crops: NDArray[np.uint8], holes: NDArray[np.uint8]
):
    batches: list[int] = []

    def grey(given: NDArray[np.uint8], hole: NDArray[np.uint8]) -> NDArray[np.uint8]:
        batches.append(len(given))
        return np.where(hole[..., None] > 0, 90, given).astype(np.uint8)

    out = self_ensemble(grey, crops, holes, ENSEMBLE_OF_4)
    assert batches == [8]
    assert out.dtype == np.uint8
    assert np.array_equal(out[holes == 0], crops[holes == 0])
    inner = cv2.erode(holes[0], np.ones((9, 9))) > 0
    assert np.abs(out[0][inner].astype(int) - 90).max() <= 1


def test_self_ensemble_single_augmentation_is_the_plain_fill(
    inpainter: Inpainter, crops: NDArray[np.uint8], holes: NDArray[np.uint8]
):
    assert np.array_equal(self_ensemble(inpainter, crops, holes, AS_IT_IS), inpainter(crops, holes))
    none = self_ensemble(inpainter, crops[:0], holes[:0])
    assert none.shape == (0, 128, 128, 3)


def test_self_ensemble_mirror_image_is_filled_alike(
    inpainter: Inpainter, crops: NDArray[np.uint8], holes: NDArray[np.uint8]
):
    """What the network alone does not: it sees both for the first time."""
    flipped = np.ascontiguousarray(crops[:, :, ::-1])

    def apart(poses: tuple[Augmentation, ...]) -> int:
        one = self_ensemble(inpainter, crops, holes, poses)
        other = self_ensemble(inpainter, flipped, holes[:, :, ::-1], poses)[:, :, ::-1]
        return int(np.abs(one.astype(int) - other).max())

    assert apart(AS_IT_IS) > 20
    assert apart(ENSEMBLE_OF_2) <= 2


@pytest.mark.parametrize("pose", ENSEMBLE_OF_4)
def test_augmentation_moves_the_marks_with_the_crop(pose: Augmentation, holes: NDArray[np.uint8]):
    face = np.arange(128) < np.full((128, 1), 80)
    marks = mark_beside_face(holes > 0, face)
    picture = np.where(marks == BESIDE_FACE, 200, 50).astype(np.uint8)[..., None].repeat(3, -1)
    shown, shown_marks = pose.apply(picture, marks)
    beside = shown_marks == BESIDE_FACE
    assert beside.sum() == pytest.approx((marks == BESIDE_FACE).sum(), rel=0.05)
    assert np.median(shown[beside]) > 190 and np.median(shown[shown_marks == 1]) < 60


def test_self_ensemble_takes_marks_as_holes(crops: NDArray[np.uint8], holes: NDArray[np.uint8]):
    marks = holes.copy()
    marks[:, :, 80:] *= 2

    def grey(given: NDArray[np.uint8], hole: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.where(hole[..., None] > 0, 90, given).astype(np.uint8)

    for augmentations in (AS_IT_IS, ENSEMBLE_OF_4):
        out = self_ensemble(grey, crops, marks, augmentations)
        assert np.array_equal(out, self_ensemble(grey, crops, holes, augmentations))
