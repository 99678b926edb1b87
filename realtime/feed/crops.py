"""PNG files of the aligned crops; those that show an invented face say so."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.feed.record import FaceRecord
from realtime.media.atomic_file import SYNTHETIC_NOTE, atomic_write, make_folder
from realtime.media.png_chunks import insert_chunks

_QUICK = [cv2.IMWRITE_PNG_COMPRESSION, 1]
_COMMENT = (b"tEXt", b"Comment\0" + SYNTHETIC_NOTE.encode("latin-1"))


def encode_crop(crop_rgb: NDArray[np.uint8], *, synthetic: bool) -> bytes:
    """Return a PNG file of a crop, uint8 [H, W, 3], RGB; its comment says whether it is synthetic."""
    _, content = cv2.imencode(".png", cv2.cvtColor(crop_rgb, cv2.COLOR_RGB2BGR), _QUICK)
    return insert_chunks(content.tobytes(), [_COMMENT] if synthetic else [])


def with_inline_crops(record: FaceRecord) -> FaceRecord:
    """Return the record with both crops as PNG in base64."""
    before = encode_crop(record.crop_before_rgb, synthetic=False)
    after = encode_crop(record.crop_rgb, synthetic=True) if record.inpainted else before
    return replace(
        record,
        crop_png=base64.b64encode(after).decode(),
        crop_before_png=base64.b64encode(before).decode(),
    )


class CropFolder:
    """Writes crops as files whose names are the records' keys; a bare face has one file for both crops.

    Nobody may read a crop who may not read the file that it comes from.

    Args:
        folder: it is made if needed.

    Raises:
        UserError: it cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        make_folder(folder)
        self._folder = folder

    def __call__(self, record: FaceRecord) -> FaceRecord:
        """Write the crops of a record, and return it with their paths.

        Raises:
            UserError: a file cannot be written.
        """
        before = self._write(record, "-before", record.crop_before_rgb, synthetic=False)
        after = before
        if record.inpainted:
            after = self._write(record, "", record.crop_rgb, synthetic=True)
        return replace(record, crop=str(after), crop_before=str(before))

    def _write(
        self, record: FaceRecord, kind: str, crop_rgb: NDArray[np.uint8], *, synthetic: bool
    ) -> Path:
        """Write or replace a file; nobody reads a part of it."""
        path = self._folder / f"{record.key}{kind}.png"
        source = Path(record.source)  # an address is no file here, and narrows nothing
        with atomic_write(path, overwrite=True, source=source, sync=False) as temporary:
            temporary.write_bytes(encode_crop(crop_rgb, synthetic=synthetic))
        return path
