"""The share of faces that a live benchmark fills; below a limit its table gives that, and no speed."""

from __future__ import annotations

from collections.abc import Collection

from benchmarks.tables import Row

COLUMN = "faces filled"
"""The column with the share of the faces in the camera's pictures that were filled, 0..1."""
LEAST_SHARE = 0.95
"""Below this share a speed says little: a face that is not filled costs hardly any time."""


def without_speed(row: Row, speeds: Collection[str]) -> Row:
    """Replace the speeds of a row that fills too few of its faces, for the printed table.

    Args:
        row: with the share in `COLUMN`.
        speeds: the columns that hold speeds; a sentence takes the place of the first one.

    Returns:
        The row, or a copy without speeds.
    """
    share = float(row[COLUMN])
    if share >= LEAST_SHARE:
        return row
    first, *others = [column for column in row if column in speeds]
    return {**row, first: f"fills only {int(share * 100 + 1e-6)} %", **dict.fromkeys(others, "-")}
