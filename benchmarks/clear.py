"""Says which photographs of a data set show a clear masked face; the lists name those that do not."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

LISTS = Path(__file__).parent / "photographs"


@cache
def left_out(folder: str) -> dict[str, str]:
    """Read the photographs of a folder that do not count, with the reason for each.

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


def is_clear(path: Path) -> bool:
    """Tell whether a photograph counts: it is not on its folder's list of those left out."""
    folder = path.resolve().parent
    return path.name not in left_out(f"{folder.parent.name}_{folder.name}")
