"""Filled skin keeps the tone of the skin that is seen; lips, beards and the background keep theirs."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.align.crop_window import CANONICAL, CropWindow
from realtime.align.warp_crop import warp_crop
from realtime.frames import FaceContext, Fill
from realtime.inpaint.skin_tone_correction import SkinToneCorrection

HOLE = np.zeros((128, 128), bool)
HOLE[66:116, 30:98] = True
PATCH = slice(92, 108), slice(52, 76)


def correct_skin_tone(
    crop: NDArray[np.uint8], hole: NDArray[np.bool_] = HOLE, window: CropWindow = CANONICAL
) -> NDArray[np.uint8]:
    return SkinToneCorrection()(Fill(crop), FaceContext.of_crop(crop, hole, window=window)).rgb


@pytest.fixture(scope="module")
def crop(astronaut_rgb, astronaut_face) -> NDArray[np.uint8]:
    return warp_crop(astronaut_rgb, astronaut_face.matrix)[0]


def chroma(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    return cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb)[..., 1:].astype(np.float32)


def tinted(crop: NDArray[np.uint8], red: int, blue: int) -> NDArray[np.uint8]:
    ycc = cv2.cvtColor(crop, cv2.COLOR_RGB2YCrCb).astype(int)
    ycc[PATCH] += (0, red, blue)
    return cv2.cvtColor(np.clip(ycc, 0, 255).astype(np.uint8), cv2.COLOR_YCrCb2RGB)


def test_a_green_patch_is_pulled_back_to_skin(crop: NDArray[np.uint8]) -> None:
    green = tinted(crop, -20, -12)
    evened = correct_skin_tone(green)
    before, after = (np.abs(chroma(x)[PATCH] - chroma(crop)[PATCH]).mean() for x in (green, evened))
    assert after < 0.65 * before
    assert np.array_equal(evened[~HOLE], green[~HOLE])


def test_a_face_in_its_own_tone_hardly_changes(crop: NDArray[np.uint8]) -> None:
    evened = correct_skin_tone(crop)
    assert np.abs(chroma(evened) - chroma(crop)).mean() < 0.5
    assert np.abs(evened.astype(int) - crop).max() < 16


def test_what_is_no_skin_keeps_its_colour(crop: NDArray[np.uint8]) -> None:
    scarf = crop.copy()
    scarf[PATCH] = (30, 60, 160)
    evened = correct_skin_tone(scarf)
    inner = slice(96, 104), slice(58, 70)
    assert np.abs(evened[inner].astype(int) - scarf[inner]).max() <= 3


def test_without_colours_nothing_is_done(crop: NDArray[np.uint8]) -> None:
    grey = cv2.cvtColor(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    assert np.array_equal(correct_skin_tone(grey.astype(np.uint8)), grey)


def test_skin_is_looked_for_where_a_moved_crop_shows_it(crop: NDArray[np.uint8]) -> None:
    """Where the crop shows the face higher, lips lie where cheeks are usually."""
    window = CropWindow(1.0, (10.0, -14.0))
    hole = window.show(HOLE)
    moved, green = (
        cv2.warpAffine(image, window.matrix, (128, 128), borderMode=cv2.BORDER_REPLICATE)
        for image in (crop, tinted(crop, -20, -12))
    )
    there = window.show(np.pad(np.ones((16, 24), bool), ((92, 20), (52, 52))))
    evened = correct_skin_tone(green, hole, window)
    before, after = (
        np.abs(chroma(x)[there] - chroma(moved)[there]).mean() for x in (green, evened)
    )
    assert after < 0.65 * before
    assert np.abs(correct_skin_tone(moved, hole, window).astype(int) - moved).max() < 16


def test_the_background_before_a_face_in_profile_is_not_tinted(crop: NDArray[np.uint8]) -> None:
    profile = crop.copy()
    profile[:, :52] = 240
    evened = correct_skin_tone(profile)
    assert np.abs(evened[70:112, 32:48].astype(int) - 240).mean() < 1


def test_a_tone_of_hardly_any_colour_is_none(crop: NDArray[np.uint8]) -> None:
    """In the dark, hair is what is seen where skin is looked for."""
    grey = cv2.cvtColor(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    pale = cv2.addWeighted(tinted(crop, -20, -12), 0.2, grey, 0.8, 0).astype(np.uint8)
    assert np.array_equal(correct_skin_tone(pale), pale)
