"""Detects video files that were cut short; decoders often play them without an error."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

_BOX_NAMES = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"moof", b"mfra", b"sidx"}
_BOX_NAMES |= {b"styp", b"uuid", b"meta", b"pdin", b"udta", b"pnot", b"emsg", b"ssix", b"prft"}
_MOST_BOXES = 1_000_000  # that are looked at, about a second; a fragment of a video has two
_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"


def is_cut_short(path: Path) -> bool:
    """Say whether the headers of an MP4, MOV, Matroska, WebM or AVI file claim more bytes than it has.

    Other formats, and files of unknown length (live recordings), count as complete. Of an MP4 or MOV file
    the first million boxes are looked at.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(12)
        if start[4:8] in _BOX_NAMES:
            return any(end > size for end in islice(_box_ends(file, size), _MOST_BOXES))
        if start[:4] == _EBML:
            return _segment_end(file) > size
        if start[:4] == b"RIFF":
            return int.from_bytes(start[4:8], "little") + 8 > size
    return False


def _box_ends(file: BinaryIO, size: int) -> Iterator[int]:
    """Yield the end position of each top-level box of an MP4 or MOV file."""
    at = 0
    while at + 8 <= size:
        file.seek(at)
        header = file.read(16)
        if header[4:8] not in _BOX_NAMES:
            return
        length = int.from_bytes(header[:4], "big")
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        if length < 8:  # 0: up to the end of the file
            return
        at += length
        yield at


def _segment_end(file: BinaryIO) -> int:
    """Return the end position of a Matroska file's segment; 0: unknown."""
    file.seek(4)
    length, _ = _vint(file)
    file.seek(length, 1)
    if file.read(4) != _SEGMENT:
        return 0
    length, unknown = _vint(file)
    return 0 if unknown else file.tell() + length


def _vint(file: BinaryIO) -> tuple[int, bool]:
    """Read an EBML variable-length integer; return it and whether it is the reserved value "unknown"."""
    first = file.read(1)
    if not first or not first[0]:
        return 0, True
    width = 9 - first[0].bit_length()
    value = int.from_bytes(first + file.read(width - 1), "big") & ((1 << 7 * width) - 1)
    return value, value == (1 << 7 * width) - 1
