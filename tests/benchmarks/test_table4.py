"""Table 4: equal budgets are demanded, both tables are printed, the curve is a line over decades."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.quality import table4
from benchmarks.quality.table4 import fit_curve, read_curve
from inpaint_model.errors import UserError
from realtime.align.affine import apply
from realtime.frames import Face
from trainer.data.coded_face import CodedFace, encode
from trainer.data.face_set import write


@pytest.fixture(scope="module")
def data(
    tmp_path_factory: pytest.TempPathFactory, astronaut_rgb: NDArray[np.uint8], astronaut_face: Face
) -> Path:
    """The astronaut's face, moved, some of it held out, called CelebA."""
    assert astronaut_face.landmarks is not None
    faces = []
    for index in range(6):
        matrix = astronaut_face.matrix + np.array([[0, 0, index - 2], [0, 0, 2 - index]])
        crop = cv2.warpAffine(astronaut_rgb, matrix, (128, 128))
        points = apply(matrix, astronaut_face.landmarks).astype(np.float32)
        split, valid = "val" if index > 3 else "train", np.ones((128, 128), bool)
        faces.append(CodedFace(encode(crop), valid, points, split, "celeba", str(index)))
    path = tmp_path_factory.mktemp("table4") / "faces.npz"
    write(path, faces)
    return path


@pytest.fixture(scope="module")
def runs(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both runs, trained on twenty-four crops: four validations of each, for a curve."""
    folder = tmp_path_factory.mktemp("runs")
    table4.run([data], folder, 24, width=4, batch=2, threads=1, out=folder)
    return folder


def test_table4_measures_both_beside_the_papers_figures(runs: Path):
    rows = json.loads((runs / "table4.json").read_text())["rows"]
    assert [row["the paper, dB / SSIM"] for row in rows] == ["31.86 / 0.89", "36.74 / 0.91"]
    assert {row["crops seen"] for row in rows} == {24}
    for row in rows:
        mean, low, high = (float(part.strip("[],")) for part in str(row["held out, dB"]).split(" "))
        assert 5 < low <= mean <= high < 60
    gains = json.loads((runs / "table4-two-against-one.json").read_text())["rows"]
    assert [row["images"] for row in gains] == ["seen", "held out"]


def test_table4_trained_runs_are_not_trained_again(data: Path, runs: Path, tmp_path: Path):
    (weights,) = (runs / "paper").glob("checkpoint-*/average-00.bin")
    before = weights.stat().st_mtime_ns
    table4.run([data], runs, out=tmp_path)
    assert weights.stat().st_mtime_ns == before
    assert (tmp_path / "table4.json").read_bytes() == (runs / "table4.json").read_bytes()


def test_table4_unequal_or_missing_runs_raise(data: Path, runs: Path, tmp_path: Path):
    with pytest.raises(UserError, match="--crops"):
        table4.run([data], tmp_path / "none")
    shutil.copytree(runs, tmp_path / "runs")
    file = tmp_path / "runs" / "paper" / "config.json"
    config = json.loads(file.read_text()) | {"seed": 5}
    file.write_text(json.dumps(config))
    with pytest.raises(UserError, match="differ in seed"):
        table4.run([data], tmp_path / "runs")


def test_fit_curve_continues_a_straight_line():
    crops = np.array([3e4, 5e4, 7e4, 1e5])
    curve = fit_curve(crops, 20 + 2.5 * np.log10(crops))
    assert curve.per_decade == pytest.approx(2.5)
    assert curve.at(1e6) == pytest.approx(35)
    assert curve.residual_db == pytest.approx(0, abs=1e-9)


def test_fit_curve_too_short_raises(tmp_path: Path):
    with pytest.raises(UserError, match="three"):
        fit_curve(np.array([1.0, 2.0]), np.array([1.0, 2.0]))
    with pytest.raises(UserError, match="no metrics"):
        read_curve(tmp_path, "squares_db")
    (tmp_path / "metrics.csv").write_text("step,crops,mask_db\n1,2,20.5\n")
    with pytest.raises(UserError, match="squares_db"):
        read_curve(tmp_path, "squares_db")
