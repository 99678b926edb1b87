"""The scores of an evaluation: metrics of each image, their means with intervals, coverage bins."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from trainer.evaluate.bootstrap import Interval, mean_interval

# Bounds of the bins of the hole's share of the crop.
COVERAGE_EDGES = (0.0, 0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.35, 0.45, 1.0)
_NOT_METRICS = ("protocol", "rows", "holes", "filled")


@dataclass(frozen=True)
class Scores:
    """Metrics of each image, float64 [N] unless stated otherwise; None if not measured.

    Pixels outside the photograph (`FaceSet.valid`) are hole to the generator and never count.

    Attributes:
        protocol: the protocol's name.
        rows: int64 [N], index of each image in the evaluated `FaceSet`. Images whose hole lies outside
            the photograph are left out.
        holes: bool [N, 128, 128], the protocol's holes.
        filled: uint8 [N, 128, 128, 3], RGB, composited; outside the photograph equal to the crop.
        coverage: the hole's share of the crop, 0..1.
        psnr: dB, of the composited crop over the pixels inside the photograph.
        psnr_whole: dB, of all 128x128 pixels of `filled`, as
            `skimage.metrics.peak_signal_noise_ratio` computes it, but at most 100.
        psnr_hole: dB, over the hole's pixels inside the photograph.
        psnr_raw: dB, of the network's raw output over the pixels inside the photograph.
        ssim, ssim_whole, ssim_hole, ssim_raw: means of scikit-image's SSIM map over the same pixels
            without the outer 3 px of the crop; `ssim_whole` is scikit-image's return value.
        gmsd: `trainer.evaluate.image_similarity.gmsd` of the composited crop.
        perceptual: `trainer.evaluate.image_similarity.perceptual_distance` of the composited crop.
        identity_distance, identity_cosine: of dlib's embeddings of filled and true crop.
        masked_distance, masked_cosine: the same with a grey hole, as the baseline.
        others_distance, others_cosine: of the true crop and another person's; NaN if there is none.
    """

    protocol: str
    rows: NDArray[np.int64]
    holes: NDArray[np.bool_]
    filled: NDArray[np.uint8]
    coverage: NDArray[np.float64]
    psnr: NDArray[np.float64]
    psnr_whole: NDArray[np.float64]
    psnr_hole: NDArray[np.float64]
    ssim: NDArray[np.float64]
    ssim_whole: NDArray[np.float64]
    ssim_hole: NDArray[np.float64]
    gmsd: NDArray[np.float64]
    psnr_raw: NDArray[np.float64] | None = None
    ssim_raw: NDArray[np.float64] | None = None
    perceptual: NDArray[np.float64] | None = None
    identity_distance: NDArray[np.float64] | None = None
    identity_cosine: NDArray[np.float64] | None = None
    masked_distance: NDArray[np.float64] | None = None
    masked_cosine: NDArray[np.float64] | None = None
    others_distance: NDArray[np.float64] | None = None
    others_cosine: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def measures(self) -> dict[str, NDArray[np.float64]]:
        """Return the metrics that were measured, by name."""
        names = [field.name for field in fields(self) if field.name not in _NOT_METRICS]
        return {name: values for name in names if (values := getattr(self, name)) is not None}

    def where(self, keep: NDArray[np.bool_]) -> Scores:
        """Return the images for which `keep`, bool [N], is true."""
        kept = {name: values[keep] for name, values in self.measures().items()}
        rows, holes, filled = self.rows[keep], self.holes[keep], self.filled[keep]
        return replace(self, rows=rows, holes=holes, filled=filled, **kept)


def summarise(scores: Scores, seed: int = 0) -> dict[str, Interval]:
    """Return the mean of each metric with its 95 % bootstrap interval, by name.

    Args:
        scores: at least one image.
        seed: random seed of the bootstrap.
    """
    known = {name: values[np.isfinite(values)] for name, values in scores.measures().items()}
    return {name: mean_interval(values, seed) for name, values in known.items() if len(values)}


def by_coverage(scores: Scores) -> list[tuple[float, float, Scores]]:
    """Bin images by the hole's share of the crop; empty bins are left out.

    Returns:
        Lower and upper bound of the share (0..1, the upper one excluded) and the images between them,
        in rising order; the bounds are those of `COVERAGE_EDGES`.
    """
    parts = []
    for low, high in pairwise(COVERAGE_EDGES):
        keep = (scores.coverage >= low) & (scores.coverage < high)
        if keep.any():
            parts.append((low, high, scores.where(keep)))
    return parts
