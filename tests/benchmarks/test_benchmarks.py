"""The benchmarks run on small real data and print what they say."""

from __future__ import annotations

import json
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from benchmarks.clips import masked_frames, write_masked_clip
from benchmarks.quality import generator as quality
from benchmarks.realism import realism
from benchmarks.realism.measures import filled_crop, seam, sharpness
from benchmarks.speed import latency
from benchmarks.tables import publish
from inpaint_model.errors import UserError
from realtime.align.affine import apply, invert, scale_of
from realtime.frames import Face
from realtime.synthetic import preset_style, render_mask
from trainer.evaluate.measures import composited_psnr


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


def test_a_table_is_printed_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    publish("speed", [{"what": "a", "fps": 31.25}, {"what": "b", "fps": 7}], tmp_path)
    assert "| a | 31.25 |" in capsys.readouterr().out
    assert json.loads((tmp_path / "speed.json").read_text())["rows"][1] == {"what": "b", "fps": 7}


def test_write_masked_clip_renders_a_mask_on_every_frame(clip: Path, tmp_path: Path):
    style = preset_style("surgical")
    assert write_masked_clip(clip, tmp_path / "masked.mp4", style, side=256) == 8
    with av.open(str(tmp_path / "masked.mp4")) as masked:
        written = [frame.to_ndarray(format="bgr24") for frame in masked.decode(video=0)]
    for frame, coded in zip(masked_frames(clip, style, 256), written, strict=True):
        difference = np.abs(frame.bare_bgr.astype(int) - coded).max(2)
        assert 0.01 < (difference > 40).mean() < 0.3


def test_realism_is_measured_beside_the_truth(
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


def test_sharpness_and_seam_see_a_pasted_blur(astronaut_rgb, astronaut_face: Face):
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


def test_telea_fills_only_the_hole(astronaut_rgb):
    crops = np.ascontiguousarray(astronaut_rgb[None, 50:178, 160:288])
    holes = np.zeros((1, 128, 128), bool)
    holes[0, 60:90, 40:80] = True
    filled = quality.telea(crops, holes)
    assert np.array_equal(filled[~holes], crops[~holes])
    assert composited_psnr(filled, crops, holes)[0] < composited_psnr(crops, crops, holes)[0]


def test_the_blurred_truth_is_near_it_and_only_in_the_hole(astronaut_rgb):
    crops = np.ascontiguousarray(astronaut_rgb[None, 50:178, 160:288])
    holes = np.zeros((1, 128, 128), bool)
    holes[0, 60:90, 40:80] = True
    soft, telea = (fill(crops, holes) for fill in (quality.blurred_truth, quality.telea))
    assert np.array_equal(soft[~holes], crops[~holes])
    assert not np.array_equal(soft, crops)
    assert composited_psnr(soft, crops, holes)[0] > composited_psnr(telea, crops, holes)[0]


def test_latency_compares_models_in_one_run(tmp_path: Path):
    rows = latency.run(["fast", "fast"], [1, 2], "auto", 1, tmp_path, rounds=3)
    assert [(row["model"], row["batch"]) for row in rows] == [("fast", 1)] * 2 + [("fast", 2)] * 2
    assert rows[0]["times the first"] == 1
    assert all(float(row["ms a crop, p50"]) > 0 for row in rows)
    assert json.loads((tmp_path / "latency.json").read_text())["rows"] == [dict(r) for r in rows]
    with pytest.raises(UserError, match="at least one"):
        latency.run(["fast"], [0], "auto", 1, None)
