"""Scene cuts: another picture is one; motion, a hand and light that grows are not."""

from __future__ import annotations

import cv2
import numpy as np
import skimage.data

from realtime.track.scene_cut import SceneCut


def cuts(frames: list[np.ndarray]) -> list[bool]:
    scenes = SceneCut()
    return [scenes(np.ascontiguousarray(frame, dtype=np.uint8)) for frame in frames]


def test_scene_cut_other_picture_is_one_and_first_is_none():
    one, other = skimage.data.camera(), skimage.data.moon()
    assert cuts([one, one, other, other]) == [False, False, True, False]


def test_scene_cut_pan_light_and_hand_are_none():
    picture = cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2GRAY)
    pan = [np.roll(picture, 12 * step, axis=1) for step in range(6)]
    light = [np.clip(picture * (0.6 + 0.1 * step), 0, 255) for step in range(6)]
    hand = picture.copy()
    hand[200:500, 150:400] = 170
    assert not any(cuts(pan)) and not any(cuts(light)) and not any(cuts([picture, hand, picture]))
