"""Inpainting: faces are filled in one batch, and a fill is kept while its mask is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from inpaint_model.holes import BESIDE_FACE
from realtime.align.affine import apply
from realtime.align.face_silhouette import face_silhouette
from realtime.frames import CropChange, Face, SegmentedFace, SegmentedFrame, TrackedFrame
from realtime.inpaint.layered_fill import Pass
from realtime.inpaint.stage import InpaintStage

HOLE = np.zeros((128, 128), bool)
HOLE[70:120, 30:100] = True
GREY = np.full((128, 128, 3), 120, np.uint8)


class Generator:
    """Fills holes with a level that is higher by ten in each batch."""

    def __init__(self) -> None:
        self.batches: list[NDArray[np.uint8]] = []

    def __call__(self, crops: NDArray[np.uint8], holes: NDArray[np.uint8]) -> NDArray[np.uint8]:
        self.batches.append(holes)
        return np.where(holes[..., None] != 0, np.uint8(10 * len(self.batches)), crops)


@pytest.fixture
def generator() -> Generator:
    return Generator()


@pytest.fixture
def stage(generator: Generator) -> InpaintStage:
    return InpaintStage(generator, (Pass(), Pass(beside=True)), ())


def masked(track_id: int = 0, **changes: object) -> SegmentedFace:
    face = SegmentedFace.of_crop(GREY, HOLE, change=CropChange(epoch=1))
    face = replace(face, tracked=replace(face.tracked, track_id=track_id), mask_version=1)
    return replace(face, **changes)  # pyright: ignore[reportArgumentType]


def levels(stage: InpaintStage, *faces: SegmentedFace) -> list[int | None]:
    """The level of the fill of each face that is handed on; None for a bare one."""
    tracked = TrackedFrame(GREY, (), frozenset(range(9)))
    inpainted = stage(SegmentedFrame(tracked, faces)).faces
    return [None if one.fill is None else int(one.fill.rgb[90, 60, 0]) for one in inpainted]


def test_inpaint_kept_mask_keeps_its_fill(stage: InpaintStage, generator: Generator) -> None:
    assert levels(stage, masked()) == [10]
    assert levels(stage, masked(mask_kept=True)) == [10]
    assert levels(stage) == []
    assert len(generator.batches) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"mask_kept": True, "mask_version": 2},
        {"mask_kept": True, "change": CropChange(epoch=2)},
        {"mask_kept": True, "track_id": 1},
    ],
)
def test_inpaint_other_mask_is_filled_anew(stage: InpaintStage, changes: dict) -> None:
    assert levels(stage, masked()) == [10]
    assert levels(stage, masked(**changes)) == [20]


def test_inpaint_several_faces_are_one_batch_and_keep_their_order(
    stage: InpaintStage, generator: Generator
) -> None:
    bare = masked(1, wears_mask=False, confirmed=True)
    nobody = masked(2, wears_mask=False, confirmed=False)
    assert levels(stage, masked(0), bare, nobody, masked(3)) == [10, None, 10]
    assert [len(holes) for holes in generator.batches] == [4]  # two passes
    assert levels(stage, masked(3), masked(0, mask_kept=True), bare) == [20, 10, None]


def test_inpaint_fills_what_lies_outside_the_picture(
    stage: InpaintStage, generator: Generator
) -> None:
    levels(stage, masked(valid=np.arange(128)[:, None] < np.full(128, 100)))
    (holes,) = generator.batches
    assert holes[0, 100:].all() and np.array_equal(holes[0, :100] > 0, HOLE[:100])


def test_inpaint_tells_the_generator_what_lies_beside_the_face(
    stage: InpaintStage, generator: Generator, astronaut_face: Face
) -> None:
    assert astronaut_face.landmarks is not None
    face = masked()
    inner = replace(face.tracked.face, landmarks=astronaut_face.landmarks)
    tracked = replace(face.tracked, face=inner, matrix=astronaut_face.matrix)
    levels(stage, masked(tracked=tracked, matrix=astronaut_face.matrix), masked(1))
    wide, untold, narrow, untold_too = generator.batches[0]
    assert all(np.array_equal(marks > 0, HOLE) for marks in generator.batches[0])
    points = apply(astronaut_face.matrix, astronaut_face.landmarks)
    beside = HOLE & ~face_silhouette(points, HOLE.shape)
    assert 0.1 < beside[HOLE].mean() < 0.6
    assert (
        not (beside < (wide == BESIDE_FACE)).any() and not (beside > (narrow == BESIDE_FACE)).any()
    )
    assert 0 < (beside != (wide == BESIDE_FACE)).sum() < beside.sum() / 2
    assert (untold[HOLE] == 1).all() and (untold_too[HOLE] == 1).all()
