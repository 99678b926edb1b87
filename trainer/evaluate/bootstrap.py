"""Means with bootstrap confidence intervals, and the mean difference of paired measurements."""

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
    """A mean with its confidence interval.

    Attributes:
        mean: over the images.
        low, high: ends of the 95 % bootstrap confidence interval.
    """

    mean: float
    low: float
    high: float

    def text(self, digits: int) -> str:
        """Return `mean [low, high]` with `digits` decimals."""
        return f"{self.mean:.{digits}f} [{self.low:.{digits}f}, {self.high:.{digits}f}]"


def mean_interval(values: NDArray[np.float64], seed: int = 0) -> Interval:
    """Return the mean over images with its percentile bootstrap interval.

    The interval spans the 2.5th to the 97.5th percentile of the means of 2,000 resamples (Efron and
    Tibshirani 1993, chapter 13).

    Args:
        values: float64 [N], one value an image, N >= 1; the interval of a single image is a point.
        seed: random seed.

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

    Images differ more than models do, so that the interval of the differences is narrower than those of
    the two means. If zero lies outside the interval, the models differ.

    Args:
        a, b: float64 [N], the same metric of two models on the same images in the same order.
        seed: random seed.

    Raises:
        ValueError: the lengths differ, or as for `mean_interval`.
    """
    if a.shape != b.shape:
        raise ValueError(f"paired values must be of the same images: {len(a)} and {len(b)}")
    return mean_interval(np.asarray(a - b, dtype=np.float64), seed)
