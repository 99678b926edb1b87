"""The paper's Table 4: one autoencoder against two, trained here on equal budgets.

Protocol: paper-squares, composited. The paper's figures must be over the whole 128x128 crop. CelebA's
published crops fill only part of ours, so figures over the pixels inside the photograph are given too.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import nn

from benchmarks.quality.learning_curve import fit_curve, read_curve
from benchmarks.tables import Row, publish
from inpaint_model.errors import UserError
from trainer.commands.export import load_generator
from trainer.commands.fit import Devices, Order, start, training_faces
from trainer.config import FitConfig
from trainer.data import face_set as faceset
from trainer.data.face_set import FaceSet
from trainer.evaluate.bootstrap import paired_difference
from trainer.evaluate.protocols import evaluate, from_module
from trainer.evaluate.scores import Scores, summarise
from trainer.presets import PRESETS, Changes
from trainer.runs import RunFolder

# The printed PSNR in dB and SSIM; the paper does not say on which images or holes.
PAPER = {"glcic": (31.86, 0.89), "paper": (36.74, 0.91)}
NAMES = {"glcic": "one autoencoder (GLCIC)", "paper": "two autoencoders"}
FULL_SCHEDULE = 2_000_000  # crops that the paper's schedule shows
JUDGED = 300  # images that a model is measured on


@dataclass(frozen=True)
class Budget:
    """What each model that is trained here may cost.

    Attributes:
        crops: seen in training.
        width: channels of the first layer.
        batch: crops a step.
        threads: CPU threads; 0 leaves torch's choice.
    """

    crops: int
    width: int = 64
    batch: int = 32
    threads: int = 0


def run(data: list[Path], runs: Path, budget: Budget | None, out: Path | None) -> list[Row]:
    """Measure `runs/glcic` and `runs/paper`, train them where they are missing, and print the tables.

    Args:
        data: prepared files.
        runs: folder of the two run folders.
        budget: of runs that are missing; None trains none.
        out: folder for the JSON; None writes none.

    Raises:
        UserError: a run is missing and there is no budget, or the two did not see equal crops.
    """
    faces = faceset.load(data).canonical()
    for preset in PAPER:
        if not (runs / preset / "config.json").is_file():
            _train(preset, data, runs / preset, budget, faces)
    configs = {preset: RunFolder(runs / preset).config() for preset in PAPER}
    loaded = {preset: load_generator(runs / preset) for preset in PAPER}
    seen = {preset: configs[preset].crops_before(loaded[preset][1]) for preset in PAPER}
    _check_equal(configs, seen)
    scores = {preset: _measure(loaded[preset][0], configs[preset], faces) for preset in PAPER}
    rows = [_row(preset, configs[preset], seen[preset], scores[preset]) for preset in PAPER]
    publish("table4", rows, out)
    gains = [_gain(which, scores) for which in ("seen", "held out")]
    publish("table4-two-against-one", gains, out)
    publish("table4-learning-curve", _curves(runs), out)
    return rows


def _train(preset: str, data: list[Path], run: Path, budget: Budget | None, faces: FaceSet) -> None:
    if budget is None:
        raise UserError(f"{run}: holds no run; name --crops to train one")
    config = PRESETS[preset]
    scale = budget.crops / config.crops_before(config.steps)
    changes = Changes(scale=scale, batch=budget.batch, width=budget.width)
    start(Order(preset, data, run, changes, Devices(threads=budget.threads)), faces)


def _check_equal(configs: dict[str, FitConfig], seen: dict[str, int]) -> None:
    one, two = configs["glcic"], configs["paper"]
    same = ("width", "faces", "holes", "sources", "seed", "stages", "jitter")
    unlike = [name for name in same if getattr(one, name) != getattr(two, name)]
    if unlike or seen["glcic"] != seen["paper"]:
        what = ", ".join(unlike) or f"crops seen ({seen['glcic']} and {seen['paper']})"
        raise UserError(f"the two runs are not of equal budget: they differ in {what}")


def _measure(net: nn.Module, config: FitConfig, faces: FaceSet) -> dict[str, Scores]:
    generator = from_module(net)
    held_out = faces.only("val", config.sources)
    sets = {"seen": training_faces(faces, config), "held out": held_out if len(held_out) else faces}
    return {
        name: evaluate(generator, part.some(JUDGED, 7), "paper-squares", seed=7)
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
