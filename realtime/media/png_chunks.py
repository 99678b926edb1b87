"""Reads and inserts the chunks of a PNG file that describe the picture."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_METRE_INCHES = 0.0254
# Chunks that hold pixels, depend on how they are stored, or are written by the encoder
_NOT_COPIED = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"bKGD", b"hIST", b"sBIT"}
_NOT_COPIED |= {b"acTL", b"fcTL", b"fdAT", b"eXIf", b"iCCP", b"caBX"}
_XMP = b"XML:com.adobe.xmp"
TEXT = {b"tEXt", b"zTXt", b"iTXt"}
"""Types of the chunks that hold text."""


def read_chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    """Return type and data of the chunks that stay true for a changed picture; none for other files."""
    if not content.startswith(_SIGNATURE):
        return []
    return [
        (kind, data)
        for kind, data in _chunks(content)
        if kind not in _NOT_COPIED and not (kind == b"iTXt" and data.startswith(_XMP))
    ]


def insert_chunks(content: bytes, chunks: list[tuple[bytes, bytes]]) -> bytes:
    """Return a PNG file with more chunks, at its beginning."""
    first_end = len(_SIGNATURE) + 12 + int.from_bytes(content[8:12], "big")
    added = b"".join(
        len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")
        for kind, data in chunks
    )
    return content[:first_end] + added + content[first_end:]


def resolution_chunk(dpi: tuple[float, float]) -> tuple[bytes, bytes]:
    """Return the chunk that states pixels an inch, across and down."""
    across, down = (round(value / _METRE_INCHES).to_bytes(4, "big") for value in dpi)
    return b"pHYs", across + down + b"\1"


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE)
    while at + 12 <= len(content):
        length = int.from_bytes(content[at : at + 4], "big")
        yield content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        at += length + 12
