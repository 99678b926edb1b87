"""What is no frame is refused in one line that says what it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inpaint_model.errors import InputError
from realtime.imaging.frame_check import check_frame


def test_check_frame_takes_any_picture_of_three_bytes() -> None:
    for shape in ((1, 1, 3), (720, 1280, 3)):
        check_frame(np.zeros(shape, np.uint8))
    check_frame(np.zeros((8, 8, 3), np.uint8)[::2, ::-1])


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (np.zeros((8, 8, 3), np.float32), r"float32 \[8, 8, 3\]"),
        (np.zeros((8, 8), np.uint8), r"uint8 \[8, 8\]"),
        (np.zeros((8, 8, 4), np.uint8), r"uint8 \[8, 8, 4\]"),
        (np.zeros((1, 8, 8, 3), np.uint8), r"uint8 \[1, 8, 8, 3\]"),
        (np.zeros((0, 8, 3), np.uint8), r"uint8 \[0, 8, 3\]"),
        (None, "cannot read"),
        ("face.png", "read the file first"),
        (Path("face.png"), "read the file first"),
        (Image.new("RGB", (8, 8)), "convert it first"),
        ([[[1, 2, 3]]], "not list$"),
    ],
)
def test_check_frame_names_what_was_given(frame: object, said: str) -> None:
    with pytest.raises(InputError, match=said) as raised:
        check_frame(frame)
    assert "\n" not in str(raised.value)
