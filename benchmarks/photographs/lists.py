"""Photographs on disk: the pictures of a folder, and which of a data set show a clear masked face."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from inpaint_model.errors import UserError

LISTS = Path(__file__).parent
_SUFFIXES = {".jpg", ".jpeg", ".png"}


def pictures_in(folders: list[Path], limit: int = 0) -> list[Path]:
    """List the pictures of folders, sorted; `limit` takes that many, evenly spread.

    Raises:
        UserError: there is none.
    """
    paths = sorted(p for f in folders for p in f.rglob("*") if p.suffix.lower() in _SUFFIXES)
    if not paths:
        raise UserError(f"no pictures in {', '.join(map(str, folders))}")
    if limit and limit < len(paths):
        paths = [paths[i] for i in np.linspace(0, len(paths) - 1, limit).astype(int)]
    return paths


def choose(folders: list[Path], count: int | None, seed: int) -> list[Path]:
    """Draw so many of the folders' clear photographs at random, without repeats; None draws all.

    Raises:
        UserError: there is none.
    """
    clear = [path for path in pictures_in(folders) if is_clear(path)]
    if not clear:
        raise UserError(f"no clear photograph in {', '.join(map(str, folders))}")
    order = np.random.default_rng(seed).permutation(len(clear))[:count]
    return [clear[index] for index in order]


def read_pictures(
    paths: Iterable[Path], progress: str
) -> Iterator[tuple[Path, NDArray[np.uint8] | None]]:
    """Yield each path and its picture, uint8 [H, W, 3] BGR; None where it cannot be read.

    Args:
        paths: the files.
        progress: what the progress bar says.
    """
    for path in track(list(paths), progress):
        picture = cv2.imread(str(path))
        yield path, None if picture is None else np.asarray(picture, dtype=np.uint8)


@cache
def left_out(folder: str) -> dict[str, str]:
    """Read which photographs of a folder are left out, with the reason for each.

    Args:
        folder: the last two names of the folder joined by an underscore, as in "masked_web".

    Returns:
        Reasons by file name; empty where the folder has no list: then every photograph counts.
    """
    path = LISTS / f"{folder}.csv"
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {row["name"]: row["reason"] for row in csv.DictReader(file) if row["counts"] == "no"}


def collection_of(folder: Path) -> str:
    """Name the collection that a folder holds by the folder's last two names, as in "masked/web"."""
    return "/".join(folder.resolve().parts[-2:])


def is_clear(path: Path) -> bool:
    """Tell whether a photograph counts: its folder's list does not leave it out."""
    folder = path.resolve().parent
    return path.name not in left_out(f"{folder.parent.name}_{folder.name}")
