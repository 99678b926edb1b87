"""Compares a filled crop with torch in fp32 on the CPU."""

from __future__ import annotations

import numpy as np
import skimage.data
import torch
from numpy.typing import NDArray
from torch import nn

from inpaint_model.networks.byte_generator import ByteGenerator

Images = NDArray[np.uint8]
LIMIT_LEVELS = 3
"""The largest difference inside the hole that counts as equal, in levels of 255."""
_BATCH = 4  # of the reference: more crops at a time take much memory and are no faster on a CPU


def sample_crops(count: int) -> tuple[Images, Images]:
    """Cut crops of a photograph, replace every other by noise, and make a hole in the lower half of each.

    Returns:
        Crops uint8 [count, 128, 128, 3] and holes uint8 [count, 128, 128].
    """
    photograph, rng = skimage.data.astronaut(), np.random.default_rng(0)
    crops = rng.integers(0, 256, (count, 128, 128, 3), dtype=np.uint8)
    for index in range(0, count, 2):
        top, left = rng.integers(0, 512 - 128, 2)
        crops[index] = photograph[top : top + 128, left : left + 128]
    holes = np.zeros((count, 128, 128), np.uint8)
    holes[:, 64:, 24:104] = 1
    return crops, holes


@torch.no_grad()
def fill_in_fp32(net: nn.Module, crops: Images, holes: Images) -> Images:
    """Fill crops with a network in fp32 on the CPU: what the others are held to."""
    exact = ByteGenerator(net).eval()
    parts = [slice(start, start + _BATCH) for start in range(0, len(crops), _BATCH)]
    filled = [exact(torch.from_numpy(crops[part]), torch.from_numpy(holes[part])) for part in parts]
    return torch.cat(filled).numpy()


def difference(filled: Images, reference: Images, crops: Images, holes: Images) -> tuple[int, bool]:
    """Compare filled crops, all uint8 [N, 128, 128, 3], with the reference and with what was given.

    Returns:
        The largest difference from the reference inside the holes, in levels, and whether the crops are
        bit for bit as they were outside.
    """
    inside = holes > 0
    levels = np.abs(filled.astype(np.int16) - reference)[inside].max(initial=0)
    return int(levels), bool(np.array_equal(filled[~inside], crops[~inside]))
