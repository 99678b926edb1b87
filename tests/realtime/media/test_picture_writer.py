"""Pictures of every usual kind come back as the same kind, changed only where they were replaced."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from inpaint_model.errors import UserError
from realtime.image_file import unmask_image
from tests.realtime.making_media import StubUnmasker


def _colour(size: tuple[int, int] = (40, 60)) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)


def _kinds() -> dict[str, NDArray]:
    colour = _colour()
    alpha = np.arange(40 * 60, dtype=np.uint8).reshape(40, 60)
    wide = np.random.default_rng(1).integers(0, 65536, (40, 60, 4), dtype=np.uint16)
    return {
        "colour": colour,
        "grey": colour[:, :, 0],
        "alpha": np.dstack([colour, alpha]),
        "16-bit": wide[:, :, :3],
        "16-bit grey": wide[:, :, 0],
        "16-bit alpha": wide,
    }


@pytest.mark.parametrize("kind", list(_kinds()))
def test_image_keeps_its_format_and_untouched_pixels(kind: str, tmp_path: Path) -> None:
    source, target = tmp_path / "in.png", tmp_path / "out.png"
    pixels = np.ascontiguousarray(_kinds()[kind])
    cv2.imwrite(str(source), pixels)
    unmask_image(source, target, StubUnmasker())
    result = cv2.imread(str(target), cv2.IMREAD_UNCHANGED)
    assert result.dtype == pixels.dtype
    assert result.shape == pixels.shape
    replaced = np.zeros((40, 60), bool)
    replaced[20:, :30] = True
    np.testing.assert_array_equal(result[~replaced], pixels[~replaced])
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        np.testing.assert_array_equal(result[:, :, 3], pixels[:, :, 3])
    painted = result[replaced] if result.ndim == 2 else result[replaced][:, :3]
    unit = 257 if pixels.dtype == np.uint16 else 1
    wanted = 40 * 0.114 + 80 * 0.587 + 160 * 0.299 if result.ndim == 2 else (40, 80, 160)
    assert np.abs(painted / unit - wanted).max() < 1.1


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_write_picture_writes_tag_and_colour_profile(suffix: str, tmp_path: Path) -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"
    source, target = tmp_path / "in.jpg", tmp_path / f"out{suffix}"
    Image.fromarray(_colour()).save(source, exif=exif, icc_profile=profile)
    unmask_image(source, target, StubUnmasker())
    with Image.open(target) as picture:
        assert ImageOps.exif_transpose(picture).size == (40, 60)
        assert "synthetic" in picture.getexif()[0x010E]
        assert picture.getexif()[0x010F] == "a camera"
        assert picture.getexif().get(0x0112, 1) == (6 if suffix == ".jpg" else 1)
        assert picture.info["icc_profile"] == profile


@pytest.mark.parametrize(
    ("kind", "suffix", "why"),
    [
        ("16-bit", ".jpg", "16 bits"),
        ("alpha", ".jpg", "transparency"),
        ("16-bit", ".webp", "16 bits"),
        ("colour", ".bmp", r"name a \.png"),
    ],
)
def test_image_target_that_would_lose_data_is_refused(
    kind: str, suffix: str, why: str, tmp_path: Path
) -> None:
    source = tmp_path / "in.png"
    cv2.imwrite(str(source), np.ascontiguousarray(_kinds()[kind]))
    with pytest.raises(UserError, match=why):
        unmask_image(source, tmp_path / f"out{suffix}", StubUnmasker())
    assert [path.name for path in tmp_path.iterdir()] == ["in.png"]


@pytest.mark.parametrize("kind", ["16-bit alpha", "16-bit grey", "grey", "photograph"])
def test_picture_worked_on_in_bands_is_the_same(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suffix = ".jpg" if kind == "photograph" else ".png"
    source, targets = tmp_path / f"in{suffix}", [tmp_path / f"{n}{suffix}" for n in (1, 2)]
    if kind == "photograph":
        Image.fromarray(_colour((76, 62))).save(source, subsampling=2, quality=90)
    else:
        cv2.imwrite(str(source), np.ascontiguousarray(_kinds()[kind]))
    unmask_image(source, targets[0], StubUnmasker())
    monkeypatch.setattr("realtime.media.picture._BAND_ROWS", 7)
    monkeypatch.setattr("realtime.media.jpeg._BAND_ROWS", 16)
    monkeypatch.setattr("realtime.media.native_planes._MOST_BAND_PX", 1)
    unmask_image(source, targets[1], StubUnmasker())
    assert targets[0].read_bytes() == targets[1].read_bytes()
