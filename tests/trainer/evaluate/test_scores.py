"""Metrics of pictures against their truth, confidence intervals, identity distances."""

from __future__ import annotations

import sys

import cv2
import numpy as np
import pytest
import skimage.data
import torch
from numpy.typing import NDArray
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from inpaint_model.errors import UserError
from trainer.evaluate import image_similarity as similarity
from trainer.evaluate.bootstrap import mean_interval, paired_difference
from trainer.evaluate.identity import cosines, different_people, distances, load_identity
from trainer.evaluate.measures import composited_psnr
from trainer.losses.recogniser import Recogniser


@pytest.fixture(scope="module")
def truths() -> NDArray[np.uint8]:
    """Three real pictures, 128x128."""
    picture = skimage.data.astronaut()
    corners = ((20, 160), (60, 180), (200, 10))
    return np.stack([picture[y : y + 128, x : x + 128] for y, x in corners])


@pytest.fixture(scope="module")
def blurred(truths: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same with their middle blurred."""
    results = truths.copy()
    for result, truth in zip(results, truths, strict=True):
        result[40:90, 30:100] = cv2.GaussianBlur(truth, (0, 0), 3)[40:90, 30:100]
    return results


@pytest.fixture(scope="module")
def everywhere() -> NDArray[np.bool_]:
    return np.ones((3, 128, 128), dtype=bool)


def test_psnr_and_ssim_of_all_pixels_equal_scikit_image(truths, blurred, everywhere):
    psnr = composited_psnr(blurred, truths, everywhere)
    (ssim,) = similarity.ssim(blurred, truths, everywhere)
    for index, (result, truth) in enumerate(zip(blurred, truths, strict=True)):
        wanted = peak_signal_noise_ratio(truth, result, data_range=255)
        assert psnr[index] == pytest.approx(wanted, abs=1e-9)
        wanted = structural_similarity(truth, result, channel_axis=2, data_range=255)
        assert ssim[index] == pytest.approx(wanted, abs=1e-9)


def test_psnr_of_hole_ignores_other_pixels(truths, blurred, everywhere):
    hole = np.zeros_like(everywhere)
    hole[:, 40:90, 30:100] = True
    whole_ssim, hole_ssim = similarity.ssim(blurred, truths, everywhere, hole)
    assert (hole_ssim < whole_ssim).all()
    in_hole = [
        peak_signal_noise_ratio(t[40:90, 30:100], r[40:90, 30:100], data_range=255)
        for t, r in zip(truths, blurred, strict=True)
    ]
    assert composited_psnr(blurred, truths, hole) == pytest.approx(in_hole, abs=1e-9)


def test_gmsd_equals_the_reference(truths, blurred, everywhere):
    """The authors' program, written out with plain convolutions (2x2 mean, every second pixel)."""
    scipy_signal = pytest.importorskip("scipy.signal")
    wanted = []
    for pair in zip(blurred, truths, strict=True):
        magnitudes = []
        for picture in pair:
            luma = picture.astype(float) @ [0.299, 0.587, 0.114]
            luma = scipy_signal.convolve2d(luma, np.full((2, 2), 0.25))[1::2, 1::2]
            kernel = np.array([[1, 0, -1]] * 3) / 3
            steps = [scipy_signal.convolve2d(luma, k, mode="same") for k in (kernel, kernel.T)]
            magnitudes.append(np.sqrt(steps[0] ** 2 + steps[1] ** 2))
        a, b = magnitudes
        wanted.append(((2 * a * b + 170) / (a**2 + b**2 + 170)).std(ddof=1))
    assert similarity.gmsd(blurred, truths, everywhere) == pytest.approx(wanted, abs=1e-9)
    assert similarity.gmsd(truths, truths, everywhere) == pytest.approx(0, abs=1e-12)
    assert min(wanted) > 0.01


def test_gmsd_ignores_invalid_pixels(truths, blurred):
    valid = np.ones((3, 128, 128), dtype=bool)
    valid[:, 38:92, 28:102] = False
    assert similarity.gmsd(blurred, truths, valid) == pytest.approx(0, abs=1e-12)


def test_perceptual_distance_is_per_picture(truths, blurred):
    torch.manual_seed(0)
    recogniser = Recogniser()
    together = similarity.perceptual_distance(recogniser, blurred, truths)
    alone = similarity.perceptual_distance(recogniser, blurred[1:2], truths[1:2])
    assert together[1] == pytest.approx(alone[0], rel=1e-5)
    assert (together > 0).all()
    assert similarity.perceptual_distance(recogniser, truths, truths).tolist() == [0, 0, 0]


def test_mean_interval_narrows_with_more_images():
    values = np.random.default_rng(0).normal(27, 2, 2000)
    few, many = mean_interval(values[:50]), mean_interval(values)
    for interval in (few, many):
        assert interval.low < interval.mean < interval.high
    # The normal approximation of the 95 % interval of a mean: 1.96 standard errors to each side.
    assert many.high - many.low == pytest.approx(2 * 1.96 * 2 / np.sqrt(2000), rel=0.1)
    assert few.high - few.low > 3 * (many.high - many.low)
    assert mean_interval(values) == many


def test_mean_interval_of_one_image_is_a_point():
    only = mean_interval(np.array([3.5]))
    assert (only.low, only.mean, only.high) == (3.5, 3.5, 3.5)
    for values in (np.array([]), np.array([1.0, np.nan])):
        with pytest.raises(ValueError, match="finite values"):
            mean_interval(values)


def test_paired_difference_is_narrower_than_intervals():
    rng = np.random.default_rng(1)
    a = rng.normal(27, 3, 100)
    b = a - rng.normal(0.2, 0.1, 100)
    assert mean_interval(a).low < mean_interval(b).high
    difference = paired_difference(a, b)
    assert 0.15 < difference.low < difference.mean < difference.high < 0.25
    with pytest.raises(ValueError, match="same images"):
        paired_difference(a, b[:-1])


def test_different_people_stay_in_their_data_set():
    people = np.array(["Ann", "Ann", "Bea", "Cyd", "", "", "Dee", "Dee"])
    sources = np.array(["lfw"] * 4 + ["utk"] * 2 + ["home"] * 2)
    for seed in range(5):
        partners = different_people(people, sources, seed)
        assert partners[6:].tolist() == [-1, -1]
        assert partners[4:6].tolist() == [5, 4]
        assert (people[:4] != people[partners[:4]]).all()
        assert (sources[partners[:4]] == "lfw").all()


def test_load_identity_without_dlib_says_how_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "dlib", None)
    with pytest.raises(UserError, match=r"dlib is not installed.*pip install.*recognition"):
        load_identity()


def test_identity_distance_grows_with_a_hidden_face(faces):
    pytest.importorskip("dlib", reason="dlib is not installed")
    identity = load_identity()
    true = faces.crops[:2]
    hidden = true.copy()
    hidden[:, 64:, 30:98] = 127
    codes = identity.embed(np.concatenate([true, hidden]))
    same, covered = distances(codes[:1], codes[1:2]), distances(codes[:2], codes[2:])
    assert same < 0.4  # one person, two photographs
    assert (covered > same).all()
    assert (cosines(codes[:2], codes[2:]) < cosines(codes[:1], codes[1:2])).all()
    assert distances(codes, codes) == pytest.approx(0)
    assert cosines(codes, codes) == pytest.approx(1)
    assert identity.embed(true[:0]).shape == (0, 128)
