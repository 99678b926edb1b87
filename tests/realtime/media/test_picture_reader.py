"""Pictures are read upright and in their colours; what cannot be read is refused."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from inpaint_model.errors import UserError
from realtime.media.picture_reader import read_picture
from tests.realtime.making_media import moving_images


def _colour() -> NDArray[np.uint8]:
    return next(moving_images(1, (60, 40)))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_read_picture_rotated_photograph_is_upright(orientation: int, tmp_path: Path) -> None:
    path = tmp_path / "in.png"
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(_colour())
    stored.save(path, exif=exif)
    with Image.open(path) as picture:
        upright = np.asarray(ImageOps.exif_transpose(picture))
    np.testing.assert_array_equal(read_picture(path).bgr[:, :, ::-1], upright)


def test_read_picture_float_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "in.tiff"
    cv2.imwrite(str(source), _colour().astype(np.float32))
    with pytest.raises(UserError, match="8 and 16 bits"):
        read_picture(source)


def test_lab_tiff_has_the_colours_of_its_profile(tmp_path: Path) -> None:
    source, rgb = tmp_path / "in.tiff", Image.fromarray(next(moving_images(1, (203, 150))))
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(rgb, srgb, lab, outputMode="LAB")
    assert converted is not None
    converted.save(source)
    found = read_picture(source).bgr[:, :, ::-1].astype(int)
    change = np.abs(found - np.asarray(rgb))
    assert change.mean() < 1.5


def test_heic_without_its_reader_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pillow_heif", None)
    source = tmp_path / "in.heic"
    source.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))
    with pytest.raises(UserError, match="pip install pillow-heif"):
        read_picture(source)
