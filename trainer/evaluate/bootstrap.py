"""Means with bootstrap intervals, and the paired difference of two measurements of the same images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap

RESAMPLES = 2000
CONFIDENCE = 0.95
_BATCH = 100  # resamples held in memory at once


@dataclass(frozen=True)
class Interval:
    """A mean and the interval it lies in.

    Attributes:
        mean: over the images.
        low, high: ends of the 95 % bootstrap interval of that mean.
    """

    mean: float
    low: float
    high: float

    def text(self, digits: int) -> str:
        """Write as `mean [low, high]` with so many decimals."""
        return f"{self.mean:.{digits}f} [{self.low:.{digits}f}, {self.high:.{digits}f}]"


def mean_interval(values: NDArray[np.float64], seed: int = 0) -> Interval:
    """Return the mean over images with its percentile bootstrap interval.

    2,000 samples of the images are drawn with replacement (Efron and Tibshirani 1993, chapter 13);
    the interval runs from the 2.5th to the 97.5th percentile of their means.

    Args:
        values: float64 [N], one of each image, N >= 1; of a single image the interval is a point.
        seed: of the draws.

    Raises:
        ValueError: there is no value, or one is not finite.
    """
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
        raise ValueError("an interval needs finite values [N], N >= 1")
    mean = float(values.mean())
    if len(values) == 1:
        return Interval(mean, mean, mean)
    low, high = bootstrap(
        (values,),
        np.mean,
        n_resamples=RESAMPLES,
        batch=_BATCH,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=seed,
    ).confidence_interval
    return Interval(mean, float(low), float(high))


def paired_difference(a: NDArray[np.float64], b: NDArray[np.float64], seed: int = 0) -> Interval:
    """Return the mean of `a - b` over images, with its bootstrap interval.

    What two models do on the same images differs far less than the images do among each other: an
    interval of the differences shows what two separate intervals would hide. Zero outside the
    interval means that the models differ.

    Args:
        a, b: float64 [N], one measure of the same images in the same order, of two models.
        seed: of the draws.

    Raises:
        ValueError: the two are not of the same images, or as for `mean_interval`.
    """
    if a.shape != b.shape:
        raise ValueError(f"paired values must be of the same images: {len(a)} and {len(b)}")
    return mean_interval(np.asarray(a - b, dtype=np.float64), seed)
