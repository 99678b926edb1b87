"""PNG files of crops: lossless, and marked where the face is invented."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inpaint_model.errors import UserError
from realtime.feed.crops import CropFolder, with_inline_crops
from realtime.feed.record import FaceRecord


def read(source: Path | io.BytesIO) -> tuple[np.ndarray, str]:
    with Image.open(source) as picture:
        return np.asarray(picture), str(picture.info.get("Comment", ""))


def test_crop_files_hold_both_crops_and_say_which_is_invented(
    records: list[FaceRecord], tmp_path: Path
) -> None:
    record = CropFolder(tmp_path / "crops")(records[0])
    assert record.crop is not None
    assert record.crop_before is not None
    after, comment = read(Path(record.crop))
    before, no_comment = read(Path(record.crop_before))
    assert np.array_equal(after, record.crop_rgb)
    assert np.array_equal(before, record.crop_before_rgb)
    assert "synthetic" in comment
    assert no_comment == ""
    assert sorted(path.name for path in (tmp_path / "crops").iterdir()) == sorted(
        [f"{record.key}.png", f"{record.key}-before.png"]
    )


def test_crop_of_a_bare_face_is_one_file(records: list[FaceRecord], tmp_path: Path) -> None:
    bare = replace(records[0], inpainted=False, crop_rgb=records[0].crop_before_rgb)
    record = CropFolder(tmp_path)(bare)
    assert record.crop == record.crop_before
    assert len(list(tmp_path.iterdir())) == 1


def test_inline_crops_are_the_same_files(records: list[FaceRecord]) -> None:
    record = with_inline_crops(records[0])
    assert record.crop_png is not None
    assert record.crop_before_png is not None
    after, comment = read(io.BytesIO(base64.b64decode(record.crop_png)))
    before, _ = read(io.BytesIO(base64.b64decode(record.crop_before_png)))
    assert np.array_equal(after, record.crop_rgb)
    assert np.array_equal(before, record.crop_before_rgb)
    assert "synthetic" in comment


def test_crop_folder_that_is_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "crops").write_text("a file")
    with pytest.raises(UserError, match="crops"):
        CropFolder(tmp_path / "crops")
