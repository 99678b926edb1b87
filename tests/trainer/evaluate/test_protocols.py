"""Evaluation: scores of known generators, and the report of the command."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from inpaint_model.errors import UserError
from trainer import __main__ as command_line
from trainer.commands.evaluate import choose_faces
from trainer.config import FitConfig, Stage
from trainer.data.face_set import FaceSet
from trainer.evaluate.bootstrap import paired_difference
from trainer.evaluate.protocols import (
    PROTOCOLS,
    Filled,
    evaluate,
    from_inpainter,
    from_module,
)
from trainer.evaluate.report import case_sheet, group
from trainer.evaluate.scores import by_coverage, summarise
from trainer.generator_task import make_generator
from trainer.losses.recogniser import Recogniser
from trainer.runs import RunFolder

Crops, Holes = NDArray[np.uint8], NDArray[np.bool_]


def grey(crops: Crops, holes: Holes) -> Filled:
    raw = np.full_like(crops, 127)
    return Filled(np.where(holes[..., None], raw, crops), raw)


def telea(crops: Crops, holes: Holes) -> Crops:
    pairs = zip(crops, holes, strict=True)
    return np.stack([cv2.inpaint(c, h.astype(np.uint8), 5, cv2.INPAINT_TELEA) for c, h in pairs])


class Oracle:
    """Returns the truth for any input."""

    def __init__(self, faces: FaceSet) -> None:
        self.crops = faces.crops

    def __call__(self, crops: Crops, holes: Holes) -> Filled:
        return Filled(self.crops.copy(), self.crops.copy())


class Painter(nn.Module):
    """Paints one colour everywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.colour = nn.Parameter(torch.tensor([1.5, 0.0, -1.0]))

    def forward(self, crops: Tensor, holes: Tensor) -> Tensor:
        return self.colour.view(3, 1, 1).expand_as(crops)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_evaluate_perfect_generator_gets_best_scores(faces: FaceSet, protocol: str):
    means = summarise(evaluate(Oracle(faces), faces, protocol))
    for name in ("psnr", "psnr_whole", "psnr_hole", "psnr_raw"):
        assert means[name].mean == 100
    for name in ("ssim", "ssim_whole", "ssim_hole", "ssim_raw"):
        assert means[name].mean == pytest.approx(1)
    assert means["gmsd"].mean == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_evaluate_ranks_telea_above_grey(faces: FaceSet, protocol: str):
    bad = evaluate(grey, faces, protocol)
    better = evaluate(from_inpainter(telea), faces, protocol)
    for name in ("psnr", "psnr_hole", "ssim", "ssim_hole"):
        assert paired_difference(getattr(better, name), getattr(bad, name)).low > 0, name
    assert paired_difference(better.gmsd, bad.gmsd).high < 0
    assert np.array_equal(better.holes, bad.holes)
    assert better.psnr_raw is None
    assert "psnr_raw" not in summarise(better)
    assert (bad.psnr < bad.psnr_whole + 1e-9).all()
    assert (bad.psnr_hole < bad.psnr).all()


def test_evaluate_ignores_pixels_outside_photograph(faces: FaceSet):
    valid = faces.valid.copy()
    valid[:, :, :40] = False
    cut = replace(faces, valid=valid)
    crops = cut.crops.copy()
    crops[~valid] = 255 - crops[~valid]
    seen: list[Holes] = []

    def looks(crops: Crops, holes: Holes) -> Filled:
        seen.append(holes)
        return grey(crops, holes)

    one = evaluate(looks, cut, "face-mask")
    other = evaluate(grey, replace(cut, crops=crops), "face-mask")
    for name in ("psnr", "psnr_hole", "psnr_raw"):
        assert getattr(one, name) == pytest.approx(getattr(other, name)), name
    assert seen[0][:, :, :40].all()
    assert np.array_equal(one.filled[~valid[one.rows]], cut.crops[one.rows][~valid[one.rows]])


def test_evaluate_ignores_output_outside_photograph(faces: FaceSet):
    valid = faces.valid.copy()
    valid[:, :, :40] = False
    cut = replace(faces, valid=valid)
    wrong_outside = np.where(valid[..., None], faces.crops, 255 - faces.crops)
    means = summarise(evaluate(Oracle(replace(cut, crops=wrong_outside)), cut, "face-mask"))
    for name in ("ssim", "ssim_whole", "ssim_hole", "ssim_raw"):
        assert means[name].mean == pytest.approx(1), name
    for name in ("psnr", "psnr_whole", "psnr_hole", "psnr_raw"):
        assert means[name].mean == 100, name


def test_evaluate_leaves_out_holes_outside_photograph(faces: FaceSet):
    valid = faces.valid.copy()
    valid[3] = False
    cut = replace(faces, valid=valid)
    scores = evaluate(grey, cut, "face-mask")
    assert scores.rows.tolist() == [i for i in range(len(faces)) if i != 3]
    assert sum(part.left_out for part in group(scores, cut)) == 1
    with pytest.raises(UserError, match="no hole lies inside"):
        evaluate(grey, replace(faces, valid=np.zeros_like(valid)), "face-mask")


def test_from_module_clips_raw_output(faces: FaceSet):
    few = faces.where(np.arange(len(faces)) < 2)
    filled = from_module(Painter())(few.crops, few.valid)
    assert filled.raw is not None
    assert filled.raw[0, 0, 0].tolist() == [255, 128, 0]
    scores = evaluate(from_module(Painter()), few, "paper-squares")
    assert scores.psnr_raw is not None
    assert (scores.psnr_raw < scores.psnr).all()
    hole = scores.holes[0] & few.valid[0]
    assert (scores.filled[0][hole] == [255, 128, 0]).all()
    assert np.array_equal(scores.filled[0][~hole], few.crops[0][~hole])


def test_evaluate_with_recogniser_measures_distance(faces: FaceSet):
    torch.manual_seed(0)
    few = faces.where(np.arange(len(faces)) < 3)
    recogniser = Recogniser()
    assert evaluate(grey, few, "face-mask").perceptual is None
    bad = evaluate(grey, few, "face-mask", recogniser=recogniser).perceptual
    perfect = evaluate(Oracle(few), few, "face-mask", recogniser=recogniser).perceptual
    assert bad is not None and perfect is not None
    assert (bad > perfect).all()
    assert perfect.tolist() == [0, 0, 0]


def test_evaluate_with_identity_measures_distances(faces: FaceSet):
    pytest.importorskip("dlib", reason="dlib is not installed")
    from trainer.evaluate.identity import load_identity

    few = faces.where(np.arange(len(faces)) % 6 == 0)
    scores = evaluate(Oracle(few), few, "face-mask", identity=load_identity())
    means = summarise(scores)
    assert means["identity_distance"].mean == 0
    assert means["identity_cosine"].mean == pytest.approx(1)
    assert means["masked_distance"].mean > 0.1
    assert means["others_distance"].mean > 0


def test_by_coverage_bins_all_images(faces: FaceSet):
    for protocol, most in (("paper-squares", 0.15), ("face-mask", 1.0)):
        scores = evaluate(grey, faces, protocol)
        bins = by_coverage(scores)
        assert sum(len(some) for _, _, some in bins) == len(scores)
        assert all((some.coverage >= low).all() for low, _, some in bins)
        assert all((some.coverage < high).all() for _, high, some in bins)
        assert bins[-1][1] <= most


def test_group_has_each_data_set_and_all(faces: FaceSet):
    source = np.where(np.arange(len(faces)) % 2, "lfw", "celeba")
    mixed = replace(faces, source=source)
    scores = evaluate(grey, mixed, "face-mask")
    groups = {part.source: part for part in group(scores, mixed)}
    assert list(groups) == ["celeba", "lfw", "all"]
    assert np.array_equal(groups["lfw"].scores.psnr, scores.psnr[source[scores.rows] == "lfw"])
    assert len(groups["all"].scores) == len(scores)
    assert [part.source for part in group(evaluate(grey, faces, "face-mask"), faces)] == ["photos"]


def test_case_sheet_orders_best_to_worst(faces: FaceSet):
    scores = evaluate(grey, faces, "face-mask")
    sheet = case_sheet(scores, faces)
    assert sheet.shape[2] == 3
    height, width = sheet.shape[0] // 3, sheet.shape[1] // 4
    best, worst = scores.rows[scores.psnr.argmax()], scores.rows[scores.psnr.argmin()]
    for row, column, face in ((0, 0, best), (2, 3, worst)):
        tile = sheet[row * height :, column * width :][height - 256 : height, 512:768]
        truth = cv2.resize(faces.crops[face], (256, 256), interpolation=cv2.INTER_CUBIC)
        assert np.abs(tile[4:-4, 4:-4].astype(int) - truth[4:-4, 4:-4]).max() <= 1
    two = faces.where(np.arange(len(faces)) < 2)
    assert case_sheet(evaluate(grey, two, "face-mask"), two).shape[1] == 2 * width


def test_choose_faces_depends_on_the_seed(faces: FaceSet):
    names = faces.identity
    chosen = [choose_faces(faces, "train", (), 5, seed) for seed in (1, 1, 2)]
    assert [len(some) for some in chosen] == [5, 5, 5]
    assert np.array_equal(chosen[0].crops, chosen[1].crops)
    assert not np.array_equal(chosen[0].crops, chosen[2].crops)
    assert len(choose_faces(faces, "val", ("photos",), 0, 1)) == (names == "Dee_Four").sum()
    with pytest.raises(UserError, match="no face of lfw in split val: it holds photos"):
        choose_faces(faces, "val", ("lfw",), 0, 1)
    with pytest.raises(UserError, match="split test: it is empty"):
        choose_faces(faces, "test", (), 0, 1)
    with pytest.raises(UserError, match="0 or more"):
        choose_faces(faces, "val", (), -1, 1)


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> int:
    """Run the command line as a user does; return its exit code."""
    words = ["trainer", "evaluate", *(str(word) for word in arguments)]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as end:
        command_line.main()
    return int(end.value.code or 0)


def test_evaluate_command_reports_a_model(
    prepared_file: Path, tmp_path: Path, monkeypatch, capsys: pytest.CaptureFixture[str]
):
    arguments = ["--data", prepared_file, "--model", "fast", "--out", tmp_path, "--no-identity"]
    assert call(monkeypatch, *arguments, "--faces", "3") == 0
    names = {path.name for path in tmp_path.iterdir()}
    sheets = {f"sheet-{protocol}.png" for protocol in PROTOCOLS}
    assert names == {"evaluation.json", "evaluation.md", *sheets}
    report = json.loads((tmp_path / "evaluation.json").read_text())
    assert report["settings"]["model"] == "fast"
    assert len(report["settings"]["model_sha256"]) == 64
    assert [part["protocol"] for part in report["results"]] == list(PROTOCOLS)
    for part in report["results"]:
        assert part["images"] == 3
        assert part["means"]["psnr"]["low"] <= part["means"]["psnr"]["mean"]
        assert sum(some["images"] for some in part["by_coverage"]) == 3
        assert "psnr_raw" not in part["means"]
    text = (tmp_path / "evaluation.md").read_text()
    assert text in capsys.readouterr().out
    assert "| face-mask | photos | 3 |" in text
    assert "raw PSNR" not in text
    assert cv2.imread(str(tmp_path / "sheet-face-mask.png")) is not None


def test_evaluate_command_reports_a_run(prepared_file: Path, tmp_path: Path, monkeypatch):
    run, out = RunFolder(tmp_path / "run"), tmp_path / "out"
    config = FitConfig("fast", "fast", (Stage(10),))
    run.begin(config, resume=False)
    run.save({"step": 7, "average": make_generator(config).state_dict()})
    arguments = ["--data", prepared_file, "--run", run.path, "--out", out, "--no-identity"]
    assert call(monkeypatch, *arguments, "--faces", "2", "--protocol", "face-mask") == 0
    report = json.loads((out / "evaluation.json").read_text())
    assert report["settings"]["step"] == 7
    assert report["settings"]["network"] == "fast"
    assert [part["protocol"] for part in report["results"]] == ["face-mask"]
    assert "psnr_raw" in report["results"][0]["means"]
    assert "raw PSNR dB" in (out / "evaluation.md").read_text()
    assert not (out / "sheet-paper-squares.png").exists()


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ([], "either --run DIR or --model NAME"),
        (["--run", "x", "--model", "fast"], "either --run DIR or --model NAME"),
        (["--model", "fast", "--protocol", "circles"], "no such protocol: circles"),
        (["--model", "fast", "--split", "dev"], "no such split: dev"),
        (["--model", "fast", "--recogniser", "nowhere"], "npm pack"),
        (["--run", "nowhere"], "nowhere: holds no run"),
    ],
)
def test_evaluate_with_bad_option_is_one_line(
    prepared_file: Path, tmp_path: Path, monkeypatch, capsys, wrong: list[str], line: str
):
    arguments = ["--data", prepared_file, "--out", tmp_path / "out", "--no-identity", *wrong]
    assert call(monkeypatch, *arguments) == 2
    error = capsys.readouterr().err
    assert line in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_evaluate_command_without_dlib_goes_on(
    prepared_file: Path, tmp_path: Path, monkeypatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setitem(sys.modules, "dlib", None)
    arguments = ["--data", prepared_file, "--model", "fast", "--out", tmp_path, "--faces", "1"]
    assert call(monkeypatch, *arguments) == 0
    told = [line for line in capsys.readouterr().out.splitlines() if "dlib is not" in line]
    assert len(told) == 1
    assert "pip install" in told[0]
    means = json.loads((tmp_path / "evaluation.json").read_text())["results"][0]["means"]
    assert "identity_distance" not in means
