"""Breaks the headers of good files so that they promise the absurd."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator

import numpy as np


def absurd_headers(good: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """Yield file names, which say what is wrong, and contents.

    Args:
        good: contents by the names of the good files.
    """
    yield from _pictures(good["p.png"], good["p.jpg"], good["p.bmp"])
    yield from _mp4_boxes(good["a.mp4"])
    yield from _avi_headers(good["a.avi"])
    yield from _streams(good["a.mp4"], good["a.mkv"], good["a.ts"])
    yield from _hardly_files()
    yield from _archives()


def _pictures(png: bytes, jpg: bytes, bmp: bytes) -> Iterator[tuple[str, bytes]]:
    """Sides from 0 to 2**31 - 1, and a picture that unpacks to much."""
    for side in (0, 1, 30_000, 65_535, 0x7FFFFFFF):
        yield f"png of side {side}.png", _png_header(png, side)
    for side in (0, 1, 65_500):
        at = jpg.index(b"\xff\xc0") + 5
        yield f"jpeg of side {side}.jpg", jpg[:at] + struct.pack(">HH", side, side) + jpg[at + 4 :]
    for side in (0, -1, 0x7FFFFFFF, 40_000):
        yield f"bmp of side {side}.bmp", bmp[:18] + struct.pack("<ii", side, side) + bmp[26:]
    bomb = zlib.compress(bytes(60_000_000), 9)
    yield "png bomb.png", _png(20_000, 1000, bomb)


def _mp4_boxes(mp4: bytes) -> Iterator[tuple[str, bytes]]:
    """Boxes that lie about time, samples, size or their own length."""
    for scale in (0, 1, 0xFFFFFFFF):
        yield f"time scale {scale}.mp4", _patched(mp4, b"mdhd", 12, struct.pack(">I", scale))
        yield f"movie scale {scale}.mp4", _patched(mp4, b"mvhd", 12, struct.pack(">I", scale))
    for value in (0, 0x7FFFFFFF, 0xFFFFFFFF):
        yield f"durations {value}.mp4", _patched(mp4, b"stts", 12, struct.pack(">I", value))
        yield f"composition {value}.mp4", _patched(mp4, b"ctts", 12, struct.pack(">I", value))
        yield f"samples {value}.mp4", _patched(mp4, b"stsz", 8, struct.pack(">I", value))
        yield f"chunks {value}.mp4", _patched(mp4, b"stco", 4, struct.pack(">I", value))
    for side in (0, 16, 65_535):
        yield f"size {side}.mp4", _patched(mp4, b"avc1", 24, struct.pack(">HH", side, side))
        yield (
            f"shown size {side}.mp4",
            _patched(mp4, b"tkhd", 76, struct.pack(">II", side << 16, side << 16)),
        )
    for size in (0, 1, 7, 0xFFFFFFFF):
        at = mp4.index(b"moov") - 4
        yield f"box of {size}.mp4", mp4[:at] + struct.pack(">I", size) + mp4[at + 4 :]


def _avi_headers(avi: bytes) -> Iterator[tuple[str, bytes]]:
    """Rates and sides of a stream."""
    at = avi.index(b"strh") + 28
    for scale, rate in ((0, 0), (0, 25), (0xFFFFFFFF, 1), (1, 0xFFFFFFFF)):
        yield (
            f"rate {rate} by {scale}.avi",
            avi[:at] + struct.pack("<II", scale, rate) + avi[at + 8 :],
        )
    for side in (0, 1, -64, 100_000):
        at = avi.index(b"strf") + 12
        yield f"avi of side {side}.avi", avi[:at] + struct.pack("<ii", side, side) + avi[at + 8 :]


def _streams(mp4: bytes, mkv: bytes, ts: bytes) -> Iterator[tuple[str, bytes]]:
    """Scales, counts and codecs of streams."""
    at = mkv.index(b"\x2a\xd7\xb1") + 4
    for scale in (b"\x00\x00\x00", b"\xff\xff\xff"):
        yield f"time scale {scale.hex()}.mkv", mkv[:at] + scale + mkv[at + 3 :]
    yield "ten thousand streams.mp4", _many_streams(mp4, 10_000)
    yield "no key frame.ts", ts[188 * 12 :]
    yield "only a header.mkv", mkv[:400]
    yield "sound alone.mkv", mkv.replace(b"V_MPEG4/ISO/AVC", b"V_NOSUCHTHING__")
    yield "unknown codec.mp4", mp4.replace(b"avc1", b"zzzz")


def _hardly_files() -> Iterator[tuple[str, bytes]]:
    """A few bytes, zeros, nothing."""
    for length in (1, 3, 11, 200):
        yield f"{length} bytes.mp4", bytes(range(length % 256))[:length]
    for suffix in ("mp4", "png", "onnx", "npz", "task"):
        yield f"zeros.{suffix}", bytes(5000)
        yield f"empty.{suffix}", b""


def _archives() -> Iterator[tuple[str, bytes]]:
    """An archive that unpacks to much, and one that would run code."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("images.npy", bytes(40_000_000))
    yield "zip bomb.npz", memory.getvalue()
    yield "pickle.npz", _pickled()


def _pickled() -> bytes:
    memory = io.BytesIO()
    np.savez(memory, images=np.array([{"a": 1}], dtype=object))
    return memory.getvalue()


def _patched(content: bytes, box: bytes, offset: int, value: bytes) -> bytes:
    """Overwrite bytes in an MP4 box's payload; as it is where there is no such box."""
    at = content.find(box)
    if at < 0:
        return content
    at += 4 + offset
    return content[:at] + value + content[at + len(value) :]


def _png(width: int, height: int, data: bytes) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def _png_header(content: bytes, side: int) -> bytes:
    body = struct.pack(">II", side, side) + content[24:29]
    return content[:16] + body + struct.pack(">I", zlib.crc32(b"IHDR" + body)) + content[33:]


def _many_streams(mp4: bytes, count: int) -> bytes:
    """Repeat the track's box."""
    start = mp4.index(b"moov") - 4
    track = mp4.index(b"trak", start) - 4
    length = struct.unpack(">I", mp4[track : track + 4])[0]
    box = mp4[track : track + length]
    moov_length = struct.unpack(">I", mp4[start : start + 4])[0] + length * (count - 1)
    head = mp4[:start] + struct.pack(">I", moov_length) + mp4[start + 4 : track]
    return head + box * count + mp4[track + length :]
