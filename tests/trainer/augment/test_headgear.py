"""Headgear: sunglasses cover the eyes, caps the forehead, and neither the mouth."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.augment import headgear
from trainer.augment.headgear import wear_headgear
from trainer.data.face_set import FaceSet


def _worn(faces: FaceSet, monkeypatch: pytest.MonkeyPatch, share: str) -> np.ndarray:
    for name in ("_GLASSES_SHARE", "_CAP_SHARE"):
        monkeypatch.setattr(headgear, name, float(name == share))
    crop, landmarks = faces.crops[0], faces.landmarks[0]
    worn = wear_headgear(crop, landmarks, np.random.default_rng(3))
    return np.abs(worn.astype(int) - crop).max(2) > 8


def test_glasses_cover_the_eyes_alone(faces: FaceSet, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = _worn(faces, monkeypatch, "_GLASSES_SHARE")
    for x, y in faces.landmarks[0][[159, 386]].astype(int):
        assert changed[y - 2 : y + 3, x - 2 : x + 3].mean() > 0.8
    assert not changed[80:].any()


def test_cap_covers_the_top_alone(faces: FaceSet, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = _worn(faces, monkeypatch, "_CAP_SHARE")
    assert changed[2:10, 50:78].mean() > 0.9
    assert changed[90:].mean() < 0.01


def test_wear_headgear_keeps_most_crops(faces: FaceSet) -> None:
    crop, landmarks = faces.crops[0], faces.landmarks[0]
    worn = [wear_headgear(crop, landmarks, np.random.default_rng(seed)) for seed in range(60)]
    bare = sum(picture is crop for picture in worn)
    assert 40 <= bare < 60
