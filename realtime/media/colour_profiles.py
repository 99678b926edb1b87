"""Converts pictures in CMYK and Lab to sRGB, through their colour profile."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL import Image


def to_srgb(picture: Image.Image, icc: bytes) -> tuple[NDArray[np.uint8], bytes]:
    """Convert a CMYK or Lab picture.

    Args:
        picture: of mode "CMYK" or "LAB".
        icc: its colour profile, or nothing.

    Returns:
        uint8 [H, W, 3] BGR, and the profile of sRGB.
    """
    from PIL import ImageCms

    srgb = ImageCms.createProfile("sRGB")
    converted: Image.Image | None = None
    try:
        if picture.mode == "LAB":
            source = ImageCms.createProfile("LAB")
        else:
            source = ImageCms.ImageCmsProfile(io.BytesIO(icc)) if icc else None
        if source is not None:
            converted = ImageCms.profileToProfile(picture, source, srgb, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):  # a damaged profile, or one of another kind
        converted = None
    rgb = np.asarray(converted if converted is not None else picture.convert("RGB"))
    return rgb[:, :, ::-1], ImageCms.ImageCmsProfile(srgb).tobytes()
