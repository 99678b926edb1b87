"""Loads photographs of places: without masks for the segmenter, without people for the face aligner."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inpaint_model.errors import UserError
from trainer.data.photographs import find_photos

_LONGEST_SIDE_PX = 320


def load_backgrounds(
    folder: Path,
    manifest: Path | None = None,
    limit: int = 2500,
    seed: int = 0,
    split: str = "train",
) -> list[NDArray[np.uint8]]:
    """Load a random choice of the photographs of a split.

    Args:
        folder: photographs, in one of the layouts `prepare` knows.
        manifest: CSV `path,source,split,identity`, as for `prepare`.
        limit: largest number of photographs.
        seed: random seed.
        split: "train", "val" or "test".

    Returns:
        Photographs, uint8 [H, W, 3] RGB, at most 320 px wide and high.

    Raises:
        UserError: no such folder, or none of its pictures can be read.
    """
    paths = [photo.path for photo in find_photos(folder, manifest) if photo.split == split]
    order = np.random.default_rng(seed).permutation(len(paths))[:limit]
    photographs = []
    for index in sorted(order):
        picture = cv2.imread(str(paths[index]))
        if picture is None:
            continue
        scale = min(1.0, _LONGEST_SIDE_PX / max(picture.shape[:2]))
        if scale < 1:
            picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        photographs.append(np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8))
    if not photographs:
        raise UserError(f"{folder}: holds no photograph of the split {split}")
    return photographs
