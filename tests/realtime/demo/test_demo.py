"""The demo: a clip whose answer is known, and figures that tell a good result from a bad one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from realtime.demo.clip import CameraPath, DemoClip
from realtime.demo.run import run_demo
from realtime.unmasker import Unmasker


@pytest.fixture(scope="module")
def clip() -> DemoClip:
    return DemoClip(path=CameraPath(side=256, seconds=0.2))


def test_demo_clip_keeps_the_face_in_view() -> None:
    clip = DemoClip()
    assert clip.path.frames == 125
    for index in range(0, 125, 8):
        points = clip.landmarks(index)
        width = np.ptp(points[:, 0])
        assert 140 < width < 240
        assert points.min() > 0
        assert points.max() < 511


def test_demo_clip_differs_from_the_truth_only_in_the_mask(clip: DemoClip) -> None:
    changed = (clip.truth_rgb(2) != clip.masked_rgb(2)).any(2)
    assert changed[clip.mask(2)].mean() > 0.95
    assert changed.mean() < 0.4


def test_demo_writes_its_files_and_figures(clip: DemoClip, tmp_path: Path) -> None:
    out = tmp_path / "new" / "demo"
    with Unmasker(max_faces=1) as unmasker:
        result = run_demo(out, unmasker, clip=clip)
    assert sorted(path.name for path in out.iterdir()) == [
        "before_after.mp4",
        "demo.json",
        "masked.mp4",
        "sheet.png",
        "unmasked.mp4",
    ]
    assert result.frames == result.frames_unmasked == 5
    assert result.mask_iou > 0.7
    assert result.psnr_mask_db > result.psnr_masked_db + 3
    assert json.loads((out / "demo.json").read_text())["report"]["model"] == "fast"
    assert any("PSNR" in line for line in result.lines())
