"""Fits the learning curve of a training run, which tells the PSNR to expect from more crops."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inpaint_model.errors import UserError


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
