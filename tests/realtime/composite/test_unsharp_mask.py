"""A fill as sharp as the face round it: no less, no more, and without a halo."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from realtime.align.warp_crop import warp_crop
from realtime.composite.unsharp_mask import UnsharpMask
from realtime.frames import Face, Fill, SegmentedFace
from realtime.imaging.mask_regions import eroded
from realtime.segment.mask_cleaning import hole_from_mask


@pytest.fixture(scope="module")
def hole() -> np.ndarray:
    mask = np.zeros((128, 128), np.uint8)
    cv2.ellipse(mask, (64, 88), (30, 22), 0, 0, 360, 1, -1)
    return hole_from_mask(mask > 0)


def sharpen(crop: np.ndarray, hole: np.ndarray, valid: np.ndarray) -> np.ndarray:
    return UnsharpMask()(Fill(crop), SegmentedFace.of_crop(crop, hole, valid)).rgb


def test_unsharp_mask_blurred_fill_is_sharpened_without_halo(
    astronaut_rgb, astronaut_face: Face, hole
):
    crop, valid = warp_crop(astronaut_rgb, astronaut_face.matrix)
    blurred = cv2.GaussianBlur(crop, (0, 0), 2.0)
    fill = np.where(hole[..., None], blurred, crop)
    crisp = sharpen(fill, hole, valid)
    assert np.array_equal(crisp[~hole], fill[~hole])
    core = eroded(hole, 3)

    def contrast(image: np.ndarray) -> float:
        luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
        return float(np.abs(luma - cv2.GaussianBlur(luma, (0, 0), 1.25))[core].mean())

    # More than a fifth drew mouths and chins with corners (looked at, on photographs of masked people).
    assert contrast(fill) * 1.05 < contrast(crisp) < 1.2 * contrast(fill)
    kernel = np.ones((5, 5), np.uint8)
    assert (crisp <= cv2.dilate(fill, kernel).astype(int) + 1).all()
    assert (crisp >= cv2.erode(fill, kernel).astype(int) - 1).all()


def test_unsharp_mask_crisp_fill_stays(astronaut_rgb, astronaut_face: Face, hole):
    crop, valid = warp_crop(astronaut_rgb, astronaut_face.matrix)
    dull = np.where(hole[..., None], crop, cv2.GaussianBlur(crop, (0, 0), 2.5))
    assert np.array_equal(sharpen(dull, hole, valid), dull)


def test_unsharp_mask_mirrored_face_is_sharpened_as_much(astronaut_rgb, astronaut_face: Face, hole):
    """One side of the face is out of focus."""
    crop, valid = warp_crop(astronaut_rgb, astronaut_face.matrix)
    crop[:, :64] = cv2.GaussianBlur(crop, (0, 0), 2.0)[:, :64]
    fill = np.where(hole[..., None], cv2.GaussianBlur(crop, (0, 0), 1.0), crop)
    one = sharpen(fill, hole, valid)
    other = sharpen(np.ascontiguousarray(fill[:, ::-1]), np.ascontiguousarray(hole[:, ::-1]), valid)
    changes = [np.abs(a.astype(int) - b).mean() for a, b in ((one, fill), (other, fill[:, ::-1]))]
    assert changes[0] == pytest.approx(changes[1], rel=0.1) and changes[0] > 0.1
