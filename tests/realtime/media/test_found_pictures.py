"""Pictures as cameras and other programs write them: their coding and all they say stays."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageDraw, ImageOps, JpegImagePlugin, PngImagePlugin

from inpaint_model.errors import UserError
from realtime.image_file import unmask_image
from realtime.media.atomic_file import SYNTHETIC_NOTE
from realtime.media.kinds import is_picture
from realtime.runtime.report import Report
from tests.realtime.making_media import StubUnmasker, moving_images

COMPOSITE = "digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:dc="d" xmlns:tiff="t" xmlns:Iptc4xmpExt="i" '
    'tiff:Orientation="6" Iptc4xmpExt:DigitalSourceType="http://c/digitalCapture">'
    "<dc:subject>holidays</dc:subject></rdf:Description></rdf:RDF></x:xmpmeta>"
)


def _unmask(source: Path, target: Path, *, paints: bool = True, drop_alpha: bool = False) -> Report:
    return unmask_image(source, target, StubUnmasker(paints=paints), drop_alpha=drop_alpha)


def _photograph(size: tuple[int, int] = (203, 150)) -> Image.Image:
    """A smooth picture with coloured text; size is width, height."""
    picture = Image.fromarray(next(moving_images(1, size)))
    draw = ImageDraw.Draw(picture)
    for line in range(5):
        draw.text(
            (100, 8 + 12 * line), "RED and BLUE", fill=(255, 0, 0) if line % 2 else (0, 0, 255)
        )
    return picture


def _outside_the_hole(picture: Image.Image) -> NDArray[np.int64]:
    """The upright pixels above the hole and the coding blocks that it touches."""
    upright = np.asarray(ImageOps.exif_transpose(picture).convert("RGB")).astype(np.int64)
    return upright[: upright.shape[0] // 2 - 17]


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("quality", [75, 95, 100])
@pytest.mark.parametrize("sampling", [0, 1, 2])
def test_jpeg_is_coded_as_its_source(
    sampling: int, quality: int, orientation: int, tmp_path: Path
) -> None:
    source, target, exif = tmp_path / "in.jpg", tmp_path / "out.jpg", Image.Exif()
    exif[0x0112] = orientation
    _photograph().save(
        source, quality=quality, subsampling=sampling, progressive=quality == 95, exif=exif
    )
    _unmask(source, target)
    with Image.open(source) as before, Image.open(target) as after:
        assert isinstance(before, JpegImagePlugin.JpegImageFile)
        assert isinstance(after, JpegImagePlugin.JpegImageFile)
        assert after.quantization == before.quantization
        assert JpegImagePlugin.get_sampling(after) == sampling
        assert after.info.get("progressive") == before.info.get("progressive")
        change = np.abs(_outside_the_hole(after) - _outside_the_hole(before))
        assert change.mean() < 0.5
        assert np.percentile(change, 99) <= 4
        hole = np.asarray(ImageOps.exif_transpose(after).convert("RGB"))[-20, 20]
    assert np.abs(hole.astype(int) - (160, 80, 40)).max() < 6


def test_jpeg_of_another_kind_has_full_chroma(tmp_path: Path) -> None:
    source, target = tmp_path / "in.png", tmp_path / "out.jpg"
    _photograph().save(source)
    _unmask(source, target)
    with Image.open(source) as before, Image.open(target) as after:
        assert JpegImagePlugin.get_sampling(after) == 0
        assert np.abs(_outside_the_hole(after) - _outside_the_hole(before)).max() < 40


def _write_phone_picture(path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E], exif[0x010F], exif[0x0112] = "A birthday", "Phone", 6
    details, place = exif.get_ifd(0x8769), exif.get_ifd(0x8825)
    details[0x9003], details[0xA001], details[0xA005] = "2024:05:01 12:00:00", 65535, {1: "R03"}
    details[0xA002], details[0xA003] = 203, 150
    place[1], place[2] = "N", (48.0, 30.0, 0.0)
    _photograph().save(path, exif=exif, xmp=XMP.encode(), dpi=(300, 300), comment=b"a comment")


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_photograph_keeps_date_place_caption_and_xmp(suffix: str, tmp_path: Path) -> None:
    source, target = tmp_path / "in.jpg", tmp_path / f"out{suffix}"
    _write_phone_picture(source)
    _unmask(source, target)
    with Image.open(target) as picture:
        picture.load()
        exif, info = picture.getexif(), picture.info
        details = exif.get_ifd(0x8769)
        width, height = picture.size
    assert exif[0x010E] == f"{SYNTHETIC_NOTE}; A birthday"
    assert exif[0x010F] == "Phone"
    assert details[0x9003] == "2024:05:01 12:00:00"
    assert (details[0xA002], details[0xA003]) == (width, height)
    assert details[0xA001] == 65535
    assert exif.get_ifd(0xA005)[1] == "R03"
    assert exif.get_ifd(0x8825)[2] == (48.0, 30.0, 0.0)
    xmp = info.get("xmp") or info["XML:com.adobe.xmp"].encode()
    assert b"holidays" in xmp
    assert xmp.count(b"DigitalSourceType>") == 2
    assert COMPOSITE.encode() in xmp
    assert b"digitalCapture" not in xmp
    turned = exif.get(0x0112, 1) == 6
    assert turned == (suffix == ".jpg")
    assert (b'tiff:Orientation="6"' in xmp) == turned
    if suffix != ".webp":  # it has no place for it
        assert info["dpi"] == pytest.approx((300, 300), abs=0.1)
    if suffix == ".jpg":
        assert info["comment"] == b"a comment"


def test_jpeg_keeps_captions_of_the_press(tmp_path: Path) -> None:
    source, target = tmp_path / "in.jpg", tmp_path / "out.jpg"
    caption = b"\x1c\x02\x78\x00\x05Hello"
    block = b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0" + len(caption).to_bytes(4, "big") + caption
    segment = b"\xff\xed" + (len(block) + 2).to_bytes(2, "big") + block
    _photograph().save(source, extra=segment)
    _unmask(source, target)
    assert segment in target.read_bytes()


def test_png_keeps_text_gamma_and_resolution(tmp_path: Path) -> None:
    source, target, info = tmp_path / "in.png", tmp_path / "out.png", PngImagePlugin.PngInfo()
    info.add_text("parameters", "taken at noon")
    info.add(b"gAMA", (100_000).to_bytes(4, "big"))
    _photograph().save(source, pnginfo=info, dpi=(300, 300))
    _unmask(source, target)
    with Image.open(target) as picture:
        picture.load()
        assert picture.info["parameters"] == "taken at noon"
        assert picture.info["gamma"] == 1.0
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        assert COMPOSITE in picture.info["XML:com.adobe.xmp"]


@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
def test_picture_without_masks_is_not_called_synthetic(suffix: str, tmp_path: Path) -> None:
    source, target = tmp_path / "in.png", tmp_path / f"out{suffix}"
    _photograph().save(source)
    _unmask(source, target, paints=False)
    assert b"synthetic" not in target.read_bytes()
    assert COMPOSITE.encode() not in target.read_bytes()


def test_cmyk_jpeg_becomes_srgb_with_its_profile(tmp_path: Path) -> None:
    source, target = tmp_path / "in.jpg", tmp_path / "out.jpg"
    profile = b"\0" * 16 + b"CMYK" + b"\0" * 108  # damaged, but it says what it is for
    _photograph().convert("CMYK").save(source, icc_profile=profile, quality=95)
    report = _unmask(source, target)
    assert "CMYK colours are converted to sRGB" in report.warnings
    with Image.open(source) as before, Image.open(target) as after:
        assert after.mode == "RGB"
        assert after.info["icc_profile"][16:20] == b"RGB "
        assert np.abs(_outside_the_hole(after) - _outside_the_hole(before)).mean() < 3


@pytest.mark.parametrize("suffix", [".avif", ".heic"])
def test_phone_formats_are_read_with_their_profile(suffix: str, tmp_path: Path) -> None:
    if suffix == ".heic":
        heif = pytest.importorskip("pillow_heif", reason="the extra `heif` is not installed")
        heif.register_heif_opener()
    source, target = tmp_path / f"in{suffix}", tmp_path / "out.jpg"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6 if suffix == ".avif" else 1, "a camera"
    photograph = _photograph((204, 150))
    photograph.save(source, icc_profile=profile, exif=exif, quality=95)
    assert is_picture(source)
    _unmask(source, target)
    with Image.open(target) as after:
        upright = ImageOps.exif_transpose(after)
        assert after.info["icc_profile"] == profile
        assert after.getexif()[0x010F] == "a camera"
        turned = photograph.transpose(Image.Transpose.ROTATE_270)
        before = turned if suffix == ".avif" else photograph
        assert upright.size == before.size
        assert np.abs(_outside_the_hole(upright) - _outside_the_hole(before)).mean() < 9


def test_opaque_alpha_of_a_picture_is_left_out(tmp_path: Path) -> None:
    source = tmp_path / "in.png"
    _photograph().convert("RGBA").save(source)
    report = _unmask(source, tmp_path / "out.jpg")
    assert "the alpha channel is opaque: left out" in report.warnings
    picture = _photograph().convert("RGBA")
    picture.putpixel((3, 3), (0, 0, 0, 100))
    picture.save(source)
    with pytest.raises(UserError, match=r"transparency.*--drop-alpha"):
        _unmask(source, tmp_path / "other.jpg")
    assert (
        "transparency is left out"
        in _unmask(source, tmp_path / "other.jpg", drop_alpha=True).warnings
    )


def test_jfif_and_other_names_of_jpeg_are_written(tmp_path: Path) -> None:
    source, target, content = tmp_path / "in.jfif", tmp_path / "out.jpe", io.BytesIO()
    _photograph().save(content, "JPEG")
    source.write_bytes(content.getvalue())
    _unmask(source, target)
    with Image.open(target) as picture:
        assert picture.format == "JPEG"
