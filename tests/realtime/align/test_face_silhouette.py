"""The silhouette of a face and its eyes by its landmarks."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.align.affine import apply
from realtime.align.canonical_head import CANONICAL_HEAD, LANDMARKS
from realtime.align.face_silhouette import face_silhouette, open_eyes
from realtime.frames import Face

SHAPE = (128, 128)
NOSE_TIP, CHIN, FOREHEAD, LIP = 4, 152, 10, 0


def turned_head(yaw_deg: float) -> NDArray[np.float64]:
    """The canonical head's landmarks in a crop, 4 px for each cm, turned to its left."""
    x, y, z = CANONICAL_HEAD.points_cm.T
    yaw = np.deg2rad(yaw_deg)
    points = np.zeros((LANDMARKS, 2))
    across = x * np.cos(yaw) + z * np.sin(yaw)
    points[CANONICAL_HEAD.index] = np.column_stack([64 + 4 * across, 64 - 4 * y])
    return points


def test_silhouette_of_a_photograph(astronaut_face: Face):
    assert astronaut_face.landmarks is not None
    points = apply(astronaut_face.matrix, astronaut_face.landmarks)
    face = face_silhouette(points, SHAPE)
    inside = points.mean(0) + 0.97 * (points - points.mean(0))
    columns, rows = np.rint(inside[(inside >= 0).all(1) & (inside < 127.5).all(1)]).astype(int).T
    assert face[rows, columns].all()
    outside = points.mean(0) + 1.05 * (points[[CHIN, 234, 454]] - points.mean(0))
    columns, rows = np.rint(outside).astype(int).T
    assert not face[rows, columns].any()


@pytest.mark.parametrize("yaw_deg", [0, 40, 90])
def test_silhouette_has_no_gaps_and_reaches_the_foremost_point(yaw_deg: float):
    points = turned_head(yaw_deg)
    face = face_silhouette(points, SHAPE)
    for landmark in (NOSE_TIP, LIP, CHIN):
        column, row = points[landmark]
        assert face[round(row) - 1, round(column) - 1]
    for row in range(round(points[FOREHEAD, 1]) + 2, round(points[CHIN, 1]) - 2):
        columns = np.flatnonzero(face[row])
        assert len(columns) == columns[-1] - columns[0] + 1  # one piece
    nose = round(points[NOSE_TIP, 1])
    assert np.flatnonzero(face[nose])[-1] == pytest.approx(points[:, 0].max(), abs=1) or not yaw_deg


def test_silhouette_in_profile_follows_nose_and_lips():
    points = turned_head(90)
    face = face_silhouette(points, SHAPE)
    nose, below, lip = (round(points[at, 1]) for at in (NOSE_TIP, 2, LIP))
    front = [int(np.flatnonzero(face[row])[-1]) for row in (nose, below, lip)]
    assert front[0] > front[1] + 3  # the lips lie behind the nose's tip
    assert front[0] > front[2] + 3


def test_silhouette_outside_the_crop_is_empty():
    assert not face_silhouette(turned_head(0) + 400, SHAPE).any()


def test_open_eyes_hold_the_irises_and_no_brow_or_cheek(astronaut_face: Face):
    assert astronaut_face.landmarks is not None
    points = apply(astronaut_face.matrix, astronaut_face.landmarks)
    eyes = open_eyes(points, SHAPE)
    for iris in (468, 473):
        x, y = points[iris].round().astype(int)
        assert eyes[y, x]
    count, _, stats, _ = cv2.connectedComponentsWithStats(eyes.view(np.uint8))
    assert count == 3
    between_corners = abs(points[33, 0] - points[133, 0])
    assert stats[1:, cv2.CC_STAT_WIDTH] == pytest.approx(between_corners, abs=4)
    assert (stats[1:, cv2.CC_STAT_HEIGHT] < 0.7 * stats[1:, cv2.CC_STAT_WIDTH]).all()
    rows = np.flatnonzero(eyes.any(1))
    assert points[105, 1] + 3 < rows[0] and rows[-1] < points[117, 1]
