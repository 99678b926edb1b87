"""The paper's Table 4: one autoencoder against two, trained here on equal budgets.

Protocol: paper-squares, composited. The paper's figures must be over the whole 128x128 crop. CelebA's
published crops fill only part of ours, so figures over the pixels inside the photograph are given too.
"""

from __future__ import annotations

import csv
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from torch import nn

from benchmarks.options import Data, Out, Threads
from benchmarks.tables import Row, publish
from inpaint_model.errors import UserError
from trainer.commands.export import load_generator
from trainer.commands.fit import start, training_faces
from trainer.config import FitConfig, Stage
from trainer.data import face_set as faceset
from trainer.data.face_set import FaceSet
from trainer.evaluate.bootstrap import paired_difference
from trainer.evaluate.protocols import evaluate, from_module
from trainer.evaluate.scores import Scores, summarise
from trainer.options import FitOptions
from trainer.runs import RunFolder

# The printed PSNR in dB and SSIM; the paper does not say on which images or holes.
PAPER = {"glcic": (31.86, 0.89), "paper": (36.74, 0.91)}
NAMES = {"glcic": "one autoencoder (GLCIC)", "paper": "two autoencoders"}
FULL_SCHEDULE = 2_000_000  # crops that the paper's schedule shows
JUDGED = 300  # images that a model is measured on


# Share of the minutes that the two autoencoders train for: a crop costs one autoencoder, with the
# discriminator, 0.58 of what it costs two, and starting twice and measuring take half a minute or so.
_SHARE_OF_TWO = 0.57


def run(
    data: Data,
    runs: Annotated[Path, typer.Option(help="Folder of the runs `glcic` and `paper`.")],
    crops: Annotated[int, typer.Option(help="Train both on so many crops; 0: none.")] = 0,
    minutes: Annotated[
        float, typer.Option(help="Train both on as many crops as this time allows; 0: none.")
    ] = 0,
    width: Annotated[int, typer.Option(help="First channels of runs trained here.")] = 64,
    batch: Annotated[int, typer.Option(help="Crops a step of runs trained here.")] = 32,
    compiled: Annotated[
        bool, typer.Option("--compile", help="Compile the networks trained here.")
    ] = False,
    threads: Threads = 0,
    out: Out = None,
) -> list[Row]:
    """Measure one autoencoder against two of equal budget, beside the figures of the paper's Table 4.

    Runs that are not there are trained first, and unfinished ones to their end, if `crops` or `minutes`
    are given.
    """
    began_s = time.monotonic()
    faces = faceset.load(data).canonical()
    common = {"data": data, "batch": batch, "width": width, "threads": threads}
    for preset in ("paper", "glcic"):
        folder = runs / preset
        there = (folder / "config.json").is_file()
        if not there and not (crops or minutes):
            raise UserError(f"{folder}: holds no run; name --crops or --minutes to train one")
        if there and not (crops or minutes):
            continue
        length: dict[str, float | int] = {"crops": crops}
        if minutes and preset == "paper":
            length = {"minutes": minutes * _SHARE_OF_TWO}
        elif minutes:
            length = {"crops": _crops_seen(runs / "paper")}
        options = FitOptions(
            preset=preset, run=folder, resume=there, compiled=compiled, **length, **common
        )
        start(options, faces, began_s)
    configs = {preset: RunFolder(runs / preset).config() for preset in PAPER}
    loaded = {preset: load_generator(runs / preset)[0] for preset in PAPER}
    seen = {preset: _crops_seen(runs / preset) for preset in PAPER}
    _check_equal(configs, seen)
    scores = {preset: _measure(loaded[preset], configs[preset], faces) for preset in PAPER}
    rows = [_row(preset, configs[preset], seen[preset], scores[preset]) for preset in PAPER]
    publish("table4", rows, out)
    gains = [_gain(which, scores) for which in ("seen", "held out")]
    publish("table4-two-against-one", gains, out)
    publish("table4-learning-curve", _curves(runs), out)
    return rows


def _crops_seen(run: Path) -> int:
    """Number of crops that a run's averaged weights have seen; all stages have the same batch."""
    return RunFolder(run).config().stages[0].batch * load_generator(run)[1]


def _check_equal(configs: dict[str, FitConfig], seen: dict[str, int]) -> None:
    one, two = configs["glcic"], configs["paper"]
    same = ("width", "faces", "holes", "sources", "seed", "jitter")
    unlike = [name for name in same if getattr(one, name) != getattr(two, name)]
    if _losses(one) != _losses(two):
        unlike.append("stages")
    if unlike or seen["glcic"] != seen["paper"]:
        what = ", ".join(unlike) or f"crops seen ({seen['glcic']} and {seen['paper']})"
        raise UserError(f"the two runs are not of equal budget: they differ in {what}")


def _losses(config: FitConfig) -> list[Stage]:
    """The stages but for their length, which a run with minutes takes from the time."""
    return [replace(stage, steps=1) for stage in config.stages]


def _measure(net: nn.Module, config: FitConfig, faces: FaceSet) -> dict[str, Scores]:
    generator = from_module(net)
    held_out = faces.select("val", config.sources)
    sets = {"seen": training_faces(faces, config), "held out": held_out if len(held_out) else faces}
    return {
        name: evaluate(generator, part.sample(JUDGED, 7), "paper-squares", seed=7)
        for name, part in sets.items()
    }


def _row(preset: str, config: FitConfig, crops: int, scores: dict[str, Scores]) -> Row:
    psnr, ssim = PAPER[preset]
    row: dict[str, str | float | int] = {"model": NAMES[preset]}
    row["the paper, dB / SSIM"] = f"{psnr} / {ssim}"
    for name, part in scores.items():
        figures = summarise(part)
        row[f"{name}, dB"] = figures["psnr_whole"].text(2)
        row[f"{name}, SSIM"] = figures["ssim_whole"].text(3)
        row[f"{name}, inside the photograph dB"] = figures["psnr"].text(2)
        row[f"{name}, hole dB"] = figures["psnr_hole"].text(2)
    row |= {"width": config.width, "crops seen": crops}
    return row | {"of the schedule": f"{crops / FULL_SCHEDULE:.1%}"}


def _gain(which: str, scores: dict[str, dict[str, Scores]]) -> Row:
    two, one = scores["paper"][which], scores["glcic"][which]
    gain = paired_difference(two.psnr, one.psnr)
    clear = "yes" if gain.low > 0 or gain.high < 0 else "no"
    return {
        "images": which,
        "n": len(two),
        "two less one, dB": gain.text(2),
        "outside the interval": clear,
        "the paper, dB": round(PAPER["paper"][0] - PAPER["glcic"][0], 2),
    }


def _curves(runs: Path) -> list[Row]:
    rows: list[Row] = []
    for preset in PAPER:
        for name, figure in (("seen", "seen_squares_db"), ("held out", "squares_db")):
            try:
                crops, psnr = read_curve(runs / preset, figure)
                curve = fit_curve(crops, psnr)
            except UserError:
                continue  # a run too short for a curve, or on all faces: nothing to fit
            rows.append(
                {
                    "model": NAMES[preset],
                    "images": name,
                    "measured, dB": round(float(psnr[-1]), 2),
                    "at crops": int(crops[-1]),
                    "dB per tenfold crops": round(curve.per_decade, 2),
                    f"line at {FULL_SCHEDULE:,} crops, dB": round(curve.at(FULL_SCHEDULE), 2),
                    "residual, dB": round(curve.residual_db, 3),
                }
            )
    return rows or [{"model": "no curve: too few validations"}]


@dataclass(frozen=True)
class LearningCurve:
    """PSNR as a straight line over the logarithm of the crops seen: a power law of the error.

    The line knows no ceiling, so that it forecasts nothing beyond about ten times the crops measured.

    Attributes:
        at_1: PSNR of the line at one crop, dB.
        per_decade: dB gained by ten times the crops.
        residual_db: root mean square distance of the points from the line.
    """

    at_1: float
    per_decade: float
    residual_db: float

    def at(self, crops: float) -> float:
        """The line's PSNR after so many crops, dB."""
        return self.at_1 + self.per_decade * float(np.log10(crops))


def read_curve(run: Path, figure: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Read a run's validation figures: crops seen and the figure, float64 [P] each.

    Raises:
        UserError: the run has no such figure.
    """
    file = run / "metrics.csv"
    if not file.is_file():
        raise UserError(f"{run}: holds no metrics")
    with file.open(newline="", encoding="utf-8") as source:
        rows = [row for row in csv.DictReader(source) if row.get(figure)]
    if not rows:
        raise UserError(f"{file}: holds no figure {figure}")
    crops, values = np.array([[float(row["crops"]), float(row[figure])] for row in rows]).T
    return crops, values


def fit_curve(crops: NDArray[np.float64], psnr: NDArray[np.float64]) -> LearningCurve:
    """Fit a line to the last three quarters of a curve, where the fast gains of the start are over.

    Args:
        crops: float64 [P], crops seen, rising.
        psnr: float64 [P], dB.

    Raises:
        UserError: fewer than three points lie there.
    """
    late = crops >= crops.max() / 4
    if late.sum() < 3:
        raise UserError("a learning curve needs three validations in its last three quarters")
    x, y = np.log10(crops[late]), psnr[late]
    slope, start = np.polyfit(x, y, 1)
    residual = float(np.sqrt(np.mean((start + slope * x - y) ** 2)))
    return LearningCurve(float(start), float(slope), residual)
