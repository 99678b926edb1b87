"""Prepared files: damaged ones are refused in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inpaint_model.errors import UserError
from trainer.data import face_set as faceset


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9])
def test_load_truncated_file_is_refused(prepared_file: Path, tmp_path: Path, share: float) -> None:
    whole = prepared_file.read_bytes()
    cut = tmp_path / "cut.npz"
    cut.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(UserError, match=r"cut\.npz: not a file written by"):
        faceset.load([cut])


def test_load_damaged_crops_are_refused(prepared_file: Path, tmp_path: Path) -> None:
    with np.load(prepared_file) as data:
        parts = dict(data)
    parts["jpeg"][: len(parts["jpeg"]) // 2] = 0
    damaged = tmp_path / "damaged.npz"
    np.savez(damaged, **parts)
    with pytest.raises(UserError, match="face 0 is damaged"):
        faceset.load([damaged])
