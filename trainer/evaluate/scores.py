"""What an evaluation found: figures of each image, their means with intervals, by coverage."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from trainer.evaluate.bootstrap import Interval, mean_interval

COVERAGE_EDGES = (0.0, 0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.35, 0.45, 1.0)
_PICTURES = ("protocol", "rows", "holes", "filled")


@dataclass(frozen=True)
class Scores:
    """Figures of each image, float64 [N] where nothing else is said; None where not measured.

    Pixels outside the photograph (`FaceSet.valid`) are hole to the generator and count in nothing.

    Attributes:
        protocol: the protocol's name.
        rows: int64 [N], each image's place in the evaluated `FaceSet`. Images whose hole has no
            pixel to judge inside the photograph are left out.
        holes: bool [N, 128, 128], the protocol's holes.
        filled: uint8 [N, 128, 128, 3], RGB, composited; outside the photograph equal to the crop.
        coverage: the hole's share of the crop, 0..1.
        psnr: dB, of the composited crop over the pixels inside the photograph.
        psnr_whole: dB, of all 128x128 pixels, those outside the photograph taken as right: what
            `skimage.metrics.peak_signal_noise_ratio` gives for `filled` (at most 100).
        psnr_hole: dB, over the hole's pixels inside the photograph.
        psnr_raw: dB, of the network's own picture over the pixels inside the photograph.
        ssim, ssim_whole, ssim_hole, ssim_raw: means of scikit-image's SSIM map over the same
            pixels, less the 3 px along the crop's border; `ssim_whole` is its own return value.
        gmsd: `trainer.evaluate.image_similarity.gmsd` of the composited crop.
        perceptual: `trainer.evaluate.image_similarity.perceptual_distance` of the composited crop.
        identity_distance, identity_cosine: of dlib's descriptors of filled and true crop.
        masked_distance, masked_cosine: the same with the hole painted grey: the baseline.
        others_distance, others_cosine: of the true crop and someone else's; NaN where nobody else
            is among the faces.
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
        """Return the figures that were measured, by name."""
        names = [field.name for field in fields(self) if field.name not in _PICTURES]
        return {name: values for name in names if (values := getattr(self, name)) is not None}

    def where(self, keep: NDArray[np.bool_]) -> Scores:
        """Return the images for which `keep`, bool [N], is true."""
        kept = {name: values[keep] for name, values in self.measures().items()}
        rows, holes, filled = self.rows[keep], self.holes[keep], self.filled[keep]
        return replace(self, rows=rows, holes=holes, filled=filled, **kept)


def summarise(scores: Scores, seed: int = 0) -> dict[str, Interval]:
    """Return the mean of each figure with its 95 % bootstrap interval, by name.

    Args:
        scores: at least one image.
        seed: of the bootstrap's draws.
    """
    known = {name: values[np.isfinite(values)] for name, values in scores.measures().items()}
    return {name: mean_interval(values, seed) for name, values in known.items() if len(values)}


def by_coverage(scores: Scores) -> list[tuple[float, float, Scores]]:
    """Part images by the hole's share of the crop; only parts that hold images.

    Returns:
        Lower and upper bound of the share (0..1, the upper one excluded) and the images between,
        in rising order of coverage; the bounds are those of `COVERAGE_EDGES`.
    """
    parts = []
    for low, high in pairwise(COVERAGE_EDGES):
        keep = (scores.coverage >= low) & (scores.coverage < high)
        if keep.any():
            parts.append((low, high, scores.where(keep)))
    return parts
