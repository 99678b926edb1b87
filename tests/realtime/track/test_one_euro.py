"""The filter that calms transforms."""

from __future__ import annotations

import numpy as np
import pytest

from realtime.frames import Face, TrackedFace
from realtime.track.one_euro import OneEuro, TransformSmoothing, low_pass_share


def test_one_euro_smooths_noise_and_follows_motion():
    rng = np.random.default_rng(0)
    noisy = rng.normal(0, 1.0, (200, 4))
    smooth = OneEuro()
    out = np.array([smooth(value) for value in noisy])
    assert out[20:].std() < 0.6 * noisy[20:].std()
    smooth = OneEuro()
    moving = np.array([smooth(np.full(4, 10.0 * step)) for step in range(60)])
    assert abs(moving[-1, 0] - 590) < 10


def test_transform_smoothing_smooths_until_restarted():
    rng, smooth = np.random.default_rng(0), TransformSmoothing()
    steady = np.array([[0.5, 0.0, 10.0], [0.0, 0.5, 20.0]])

    def seen(restarted: bool = False, found: bool = True) -> TrackedFace:
        matrix = steady + np.array([[0, 0, rng.normal()], [0, 0, rng.normal()]])
        return TrackedFace(
            4, Face((0, 0, 1, 1), np.zeros((5, 2)), None, matrix), matrix, found, restarted
        )

    raw = [seen() for _ in range(60)]
    calm = [smooth(face, 1 / 30) for face in raw]
    spread = [np.std([face.matrix[:, 2] for face in faces[20:]], axis=0) for faces in (raw, calm)]
    assert (spread[1] < 0.6 * spread[0]).all()
    assert np.array_equal(smooth(seen(found=False), 1 / 30).matrix, calm[-1].matrix)
    anew = seen(restarted=True)
    assert np.array_equal(smooth(anew, 1 / 30).matrix, anew.matrix)


@pytest.mark.parametrize("fps", [15, 30, 60])
def test_one_euro_settles_alike_at_any_frame_rate(fps: int):
    """A small step is taken in half a second; what moves fast is followed at once."""
    still, small, fast, moving = OneEuro(), [], OneEuro(), 0.0
    for step in range(fps):
        small.append(float(still(np.array([0.0 if step == 0 else 1.0]), 1 / fps)[0]))
        moving = float(fast(np.array([600 * step / fps]), 1 / fps)[0])
    assert 0.65 < small[round(0.1 * fps)] < 0.88 and 0.9 < small[round(0.3 * fps)] < 1
    assert 600 * (fps - 1) / fps - moving < 3


@pytest.mark.parametrize("fps", [10, 25, 60])
def test_low_pass_share_forgets_as_fast_at_any_frame_rate(fps: int):
    left = 1.0
    for _ in range(fps):
        left *= 1 - low_pass_share(0.5, 1 / fps)
    assert left == pytest.approx(0.135, abs=0.001)  # after two time constants
