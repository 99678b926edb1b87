"""Layered fill: the face's layer and the one beside it meet sharply at the silhouette."""

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
from realtime.inpaint.layered_fill import PICTURE_PASSES, STREAM_PASSES, Pass, fill_in_layers

BOTH = pytest.mark.parametrize("passes", [STREAM_PASSES, PICTURE_PASSES])


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


@pytest.fixture
def marks(holes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same holes, with a silhouette that ends at column 83."""
    return mark_beside_face(holes > 0, np.arange(128) < np.full((2, 128, 1), 84))


class SoftGenerator:
    """Paints 200 on the face and 40 beside it, with an edge as soft as a network's."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def __call__(self, crops: NDArray[np.uint8], holes: NDArray[np.uint8]) -> NDArray[np.uint8]:
        self.batches.append(len(crops))
        painted = np.stack([self._painted(hole) for hole in holes])
        return np.where(holes[..., None] != 0, painted[..., None], crops)

    def _painted(self, hole: NDArray[np.uint8]) -> NDArray[np.uint8]:
        level = np.where(hole == BESIDE_FACE, 40, 200).astype(np.uint8)
        return np.asarray(cv2.GaussianBlur(level, (0, 0), 2.5), np.uint8)


@BOTH
def test_jaw_line_is_sharp_and_at_the_silhouette(
    crops: NDArray[np.uint8], marks: NDArray[np.uint8], passes: tuple[Pass, ...]
):
    generator = SoftGenerator()
    row = fill_in_layers(generator, crops, marks, passes)[0, 88, 60:98, 0].astype(float)
    plain = generator(crops[:1], marks[:1])[0, 88, 60:98, 0].astype(float)

    def width(levels: NDArray[np.float64]) -> int:
        return int(((levels > 60) & (levels < 180)).sum())

    assert width(row) <= 5 < width(plain)
    assert abs(int(np.argmin(np.abs(row - 120))) - (84 - 60)) <= 1
    assert np.abs(row[:16] - 200).max() <= 1 and np.abs(row[30:33] - 40).max() <= 2


@BOTH
def test_all_passes_are_one_batch_and_keep_what_is_known(
    crops: NDArray[np.uint8], marks: NDArray[np.uint8], passes: tuple[Pass, ...]
):
    generator = SoftGenerator()
    out = fill_in_layers(generator, crops, marks, passes)
    assert generator.batches == [len(crops) * len(passes)]
    assert out.dtype == np.uint8
    assert np.array_equal(out[marks == 0], crops[marks == 0])
    none = fill_in_layers(generator, crops[:0], marks[:0], passes)
    assert none.shape == (0, 128, 128, 3)
    assert len(generator.batches) == 1


def test_silhouette_is_told_wider_to_one_layer_and_narrower_to_the_other(
    crops: NDArray[np.uint8], marks: NDArray[np.uint8]
):
    told: list[NDArray[np.uint8]] = []

    def record(given: NDArray[np.uint8], holes: NDArray[np.uint8]) -> NDArray[np.uint8]:
        told.append(holes)
        return given

    fill_in_layers(record, crops[:1], marks[:1], (Pass(), Pass(beside=True, mirrored=True)))
    face, beside = told[0][0], told[0][1][:, ::-1]
    assert np.array_equal(face > 0, marks[0] > 0) and np.array_equal(beside > 0, marks[0] > 0)
    edges = [int(np.flatnonzero(hole[88] == BESIDE_FACE)[0]) for hole in (face, marks[0], beside)]
    assert edges == [86, 84, 83]


@BOTH
def test_crop_without_a_silhouette_is_the_mean_of_all_passes(
    inpainter: Inpainter,
    crops: NDArray[np.uint8],
    holes: NDArray[np.uint8],
    passes: tuple[Pass, ...],
):
    """What the network alone does not, a mean does: it fills the mirror image alike."""
    flipped = np.ascontiguousarray(crops[:, :, ::-1])
    one = fill_in_layers(inpainter, crops, holes, passes)
    other = fill_in_layers(inpainter, flipped, holes[:, :, ::-1], passes)[:, :, ::-1]
    assert np.abs(one.astype(int) - other).max() <= 2
    alone = inpainter(crops, holes).astype(int) - inpainter(flipped, holes[:, :, ::-1])[:, :, ::-1]
    assert np.abs(alone).max() > 20


def test_layer_of_one_pass_is_the_generators_own_fill(
    crops: NDArray[np.uint8], marks: NDArray[np.uint8]
):
    noise = np.random.default_rng(0).integers(0, 256, (4, 128, 128, 3), np.uint8)
    out = fill_in_layers(lambda *_: noise, crops, marks, STREAM_PASSES)
    face, beside = marks == 1, marks == BESIDE_FACE
    face[:, :, 76:], beside[:, :, :92] = False, False  # away from the silhouette
    assert np.array_equal(out[face], noise[:2][face])
    assert np.array_equal(out[beside], noise[2:, :, ::-1][beside])


@BOTH
def test_mean_is_as_sharp_as_one_fill(
    inpainter: Inpainter,
    crops: NDArray[np.uint8],
    holes: NDArray[np.uint8],
    passes: tuple[Pass, ...],
):
    def detail(picture: NDArray[np.uint8]) -> float:
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
        inner = cv2.erode(holes[0], np.ones((9, 9))) > 0
        return float(np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 1))[inner].mean())

    alone = detail(inpainter(crops, holes)[0])
    assert detail(fill_in_layers(inpainter, crops, holes, passes)[0]) > 0.95 * alone
