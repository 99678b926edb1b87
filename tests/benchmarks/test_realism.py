"""Realism and stability: masked clips, sharpness, seam, flicker, jitter, blinks."""

from __future__ import annotations

import json
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.clips import masked_frames, write_masked_clip
from benchmarks.realism import realism, stability
from benchmarks.realism.measures import filled_crop, seam, sharpness
from benchmarks.realism.scenes import Scene
from inpaint_model.errors import UserError
from realtime.align.affine import apply, invert, scale_of
from realtime.frames import Face
from realtime.synthetic import preset_style, render_mask


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, astronaut_rgb) -> Path:
    """A second of the astronaut, moving."""
    path = tmp_path_factory.mktemp("clip") / "bare.mp4"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=25)
        stream.width = stream.height = 256
        stream.pix_fmt = "yuv420p"
        for step in range(8):
            moved = cv2.warpAffine(
                astronaut_rgb, np.array([[0.9, 0, -70 + step], [0, 0.9, 0]]), (256, 256)
            )
            file.mux(stream.encode(av.VideoFrame.from_ndarray(moved, format="rgb24")))
        file.mux(stream.encode())
    return path


def test_write_masked_clip_masks_every_frame(clip: Path, tmp_path: Path):
    style = preset_style("surgical")
    assert write_masked_clip(clip, tmp_path / "masked.mp4", style, side=256) == 8
    with av.open(str(tmp_path / "masked.mp4")) as masked:
        written = [frame.to_ndarray(format="bgr24") for frame in masked.decode(video=0)]
    for frame, coded in zip(masked_frames(clip, style, 256), written, strict=True):
        difference = np.abs(frame.bare_bgr.astype(int) - coded).max(2)
        assert 0.01 < (difference > 40).mean() < 0.3


def test_realism_measures_clips_and_photographs(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, astronaut_rgb, astronaut_face: Face
):
    assert astronaut_face.landmarks is not None
    masked = render_mask(
        astronaut_rgb, astronaut_face.landmarks, preset_style("surgical")
    ).image_rgb
    cv2.imwrite(str(tmp_path / "masked.png"), cv2.resize(masked[:, :, ::-1], None, fx=2, fy=2))
    monkeypatch.setattr(realism, "_SKIPPED", 2)
    rows = realism.run([clip], [tmp_path], tmp_path / "out", "fast", "auto")
    clips = json.loads((tmp_path / "out" / "realism.json").read_text())["rows"]
    assert clips == [dict(row) for row in rows[:2]]
    assert 0.1 < clips[0]["sharpness"] < 3
    assert 0.1 < clips[0]["seam / truth"] < 5
    assert clips[0]["flicker / truth"] > 0
    assert rows[-1]["face px"] == "all"
    assert rows[-1]["faces"] == 1
    with pytest.raises(UserError, match="nothing to measure"):
        realism.run([], [], None, "fast", "auto")


def test_measures_pasted_fill_is_softer_with_a_seam(astronaut_rgb, astronaut_face: Face):
    frame = np.ascontiguousarray(cv2.resize(astronaut_rgb, None, fx=2, fy=2)[:, :, ::-1])
    replaced = np.zeros(frame.shape[:2], np.uint8)
    matrix = astronaut_face.matrix * np.array([[0.5, 0.5, 1]])
    centre = tuple(np.rint(apply(invert(matrix), np.array([[64.0, 88.0]]))[0]).astype(int))
    cv2.circle(replaced, centre, round(26 / scale_of(matrix)), 255, -1)
    place = filled_crop(frame, replaced, matrix)
    blurred = np.where(replaced[..., None] > 0, cv2.GaussianBlur(frame, (0, 0), 4), frame)
    shifted = np.where(replaced[..., None] > 0, cv2.add(frame, np.full_like(frame, 40)), frame)
    true, pasted = sharpness(place, frame), sharpness(place, blurred)
    assert true is not None and pasted is not None
    assert pasted.of_medians < 0.6 * true.of_medians
    assert pasted.of_means < 0.6 * true.of_means
    steps = seam(place, frame), seam(place, shifted)
    assert steps[0] is not None and steps[1] is not None
    assert steps[1] > 1.3 * steps[0]


def picture(level: int) -> NDArray[np.uint8]:
    return np.full((128, 128, 3), level, np.uint8)


def test_flicker_is_relative_to_the_truth() -> None:
    identity = np.array([[1.0, 0, 0], [0, 1.0, 0]])
    bare = [picture(100 + 2 * (n % 2)) for n in range(6)]
    scene = Scene("test", 30.0, bare, bare, [identity] * 6)
    hole = np.zeros((128, 128), np.uint8)
    cv2.rectangle(hole, (30, 70), (100, 110), 255, -1)
    shown = [picture(100 + 3 * (n % 2)) for n in range(6)]
    assert stability.flicker(scene, stability.Results(shown, [hole] * 6)) == pytest.approx(1.5)
    assert stability.flicker(scene, stability.Results(bare, [hole] * 6)) == pytest.approx(1.0)


def test_blinks_and_jitter_count_sudden_changes() -> None:
    assert stability.blinks([False, True, True, False, True, False]) == 2
    smooth = [np.array([3.0 * n, 1.0 * n]) for n in range(10)]
    assert stability.jitter(smooth) == pytest.approx(0.0, abs=1e-9)
    shaken = [point + np.array([n % 2, 0]) for n, point in enumerate(smooth)]
    assert stability.jitter(shaken) == pytest.approx(2.0)
