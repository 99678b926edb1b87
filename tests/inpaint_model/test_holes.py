"""Pixels to fill that are known to lie beside the face."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from inpaint_model import open_inpainter
from inpaint_model.holes import BESIDE_FACE, mark_beside_face
from realtime.align.affine import apply
from realtime.align.face_silhouette import face_silhouette
from realtime.align.warp_crop import warp_crop_rgb
from realtime.frames import Face

SHAPE = (128, 128)


def test_mark_beside_face_marks_hole_pixels_alone():
    hole, face = np.zeros((2, *SHAPE), bool)
    hole[60:100, 20:80], face[10:90, 40:120] = True, True
    marks = mark_beside_face(hole, face)
    assert marks.dtype == np.uint8
    assert np.array_equal(marks > 0, hole)
    assert np.array_equal(marks == BESIDE_FACE, hole & ~face)
    assert (marks[hole & face] == 1).all()


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime", "torch"])
def test_fast_draws_no_skin_beside_the_face(
    engine: str, astronaut_rgb: NDArray[np.uint8], astronaut_face: Face
):
    assert astronaut_face.landmarks is not None
    crop, _ = warp_crop_rgb(astronaut_rgb, astronaut_face.matrix)
    face = face_silhouette(apply(astronaut_face.matrix, astronaut_face.landmarks), SHAPE)
    wide = np.zeros(SHAPE, np.uint8)
    cv2.ellipse(wide, (64, 84), (52, 34), 0, 0, 360, 1, -1)
    hole = wide > 0
    with open_inpainter("fast", engine) as inpainter:
        plain, told = (
            inpainter(crop[None], given[None])[0] for given in (hole, mark_beside_face(hole, face))
        )
    beside = hole & ~cv2.dilate(face.view(np.uint8), np.ones((5, 5))).view(bool)
    beside[100:] = False  # her suit, whose colour nothing foretells
    assert beside.sum() > 800
    wrong = [np.abs(one[beside].astype(int) - crop[beside]).mean() for one in (plain, told)]
    assert wrong[1] < 0.8 * wrong[0]
    assert np.array_equal(told[~hole], crop[~hole])
