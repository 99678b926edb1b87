"""Side light: one half of the face turns brighter than the other, and the background stays."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.augment import side_light
from trainer.augment.side_light import cast_side_light
from trainer.data.face_set import FaceSet

# Landmarks: the middles of both cheeks, right and left on the screen's left and right.
_CHEEKS = (205, 425)


def test_side_light_parts_the_face_in_light_and_shadow(
    faces: FaceSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(side_light, "_SHARE", 1.0)
    crop, landmarks = faces.crops[0], faces.landmarks[0]
    at = landmarks[list(_CHEEKS)].astype(int)

    def ratio(picture: np.ndarray) -> float:
        right, left = (picture[y - 3 : y + 4, x - 3 : x + 4].mean() + 1 for x, y in at)
        return float(left / right)

    before = ratio(crop)
    after = [
        ratio(cast_side_light(crop, landmarks, np.random.default_rng(seed))) for seed in range(12)
    ]
    assert max(after) > 1.3 * before
    assert min(after) < before / 1.3
    lit = cast_side_light(crop, landmarks, np.random.default_rng(0))
    assert np.abs(lit[40:90, :6].astype(int) - crop[40:90, :6]).max() <= 1
    assert abs(lit[:90].mean() - crop[:90].mean()) < 12


def test_side_light_keeps_most_crops(faces: FaceSet) -> None:
    crop, landmarks = faces.crops[0], faces.landmarks[0]
    lit = [cast_side_light(crop, landmarks, np.random.default_rng(seed)) for seed in range(60)]
    assert 40 <= sum(picture is crop for picture in lit) < 60
