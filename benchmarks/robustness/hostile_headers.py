"""Patches the headers of good files so that they hold absurd values."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator

import numpy as np

_MOST_INT, _MOST_UINT = 0x7FFFFFFF, 0xFFFFFFFF
_TS_PACKET = 188  # bytes of an MPEG transport stream's packet
Named = tuple[str, bytes]


def absurd_headers(good: dict[str, bytes]) -> Iterator[Named]:
    """Yield file names, which say what is wrong, and contents.

    Args:
        good: contents by the names of the good files.
    """
    yield from _pictures(good["p.png"], good["p.jpg"], good["p.bmp"])
    yield from _mp4_boxes(good["a.mp4"])
    yield from _avi_headers(good["a.avi"])
    yield from _streams(good["a.mp4"], good["a.mkv"], good["a.ts"])
    yield from _tiny_files()
    yield from _archives()


def _pictures(png: bytes, jpg: bytes, bmp: bytes) -> Iterator[Named]:
    """Sides from 0 to 2**31 - 1, and a decompression bomb."""
    for side in (0, 1, 30_000, 65_535, _MOST_INT):
        ihdr = struct.pack(">II", side, side) + png[24:29]
        crc = struct.pack(">I", zlib.crc32(b"IHDR" + ihdr))
        yield f"png of side {side}.png", _overwrite(png, 16, ihdr + crc)
    for side in (0, 1, 65_500):
        sides = struct.pack(">HH", side, side)
        yield f"jpeg of side {side}.jpg", _overwrite(jpg, jpg.index(b"\xff\xc0") + 5, sides)
    for side in (0, -1, _MOST_INT, 40_000):
        yield f"bmp of side {side}.bmp", _overwrite(bmp, 18, struct.pack("<ii", side, side))
    yield "png bomb.png", _png(20_000, 1000, zlib.compress(bytes(60_000_000), 9))


def _mp4_boxes(mp4: bytes) -> Iterator[Named]:
    """Boxes with absurd times, counts, sizes or lengths."""

    def patched(box: bytes, offset: int, *values: int, code: str = "I") -> bytes:
        """Overwrite values in a box's payload; a file without such a box stays as it is."""
        at = mp4.find(box)
        value = struct.pack(f">{len(values)}{code}", *values)
        return mp4 if at < 0 else _overwrite(mp4, at + 4 + offset, value)

    for scale in (0, 1, _MOST_UINT):
        yield f"time scale {scale}.mp4", patched(b"mdhd", 12, scale)
        yield f"movie scale {scale}.mp4", patched(b"mvhd", 12, scale)
    for value in (0, _MOST_INT, _MOST_UINT):
        yield f"durations {value}.mp4", patched(b"stts", 12, value)
        yield f"composition {value}.mp4", patched(b"ctts", 12, value)
        yield f"samples {value}.mp4", patched(b"stsz", 8, value)
        yield f"chunks {value}.mp4", patched(b"stco", 4, value)
    for side in (0, 16, 65_535):
        yield f"size {side}.mp4", patched(b"avc1", 24, side, side, code="H")
        yield f"shown size {side}.mp4", patched(b"tkhd", 76, side << 16, side << 16)
    for size in (0, 1, 7, _MOST_UINT):
        yield f"box of {size}.mp4", patched(b"moov", -8, size)


def _avi_headers(avi: bytes) -> Iterator[Named]:
    """Frame rates and sides of a stream."""
    at = avi.index(b"strh") + 28
    for scale, rate in ((0, 0), (0, 25), (_MOST_UINT, 1), (1, _MOST_UINT)):
        yield f"rate {rate} by {scale}.avi", _overwrite(avi, at, struct.pack("<II", scale, rate))
    at = avi.index(b"strf") + 12
    for side in (0, 1, -64, 100_000):
        yield f"avi of side {side}.avi", _overwrite(avi, at, struct.pack("<ii", side, side))


def _streams(mp4: bytes, mkv: bytes, ts: bytes) -> Iterator[Named]:
    """Time scales, counts and codecs of streams."""
    at = mkv.index(b"\x2a\xd7\xb1") + 4
    for scale in (b"\x00\x00\x00", b"\xff\xff\xff"):
        yield f"time scale {scale.hex()}.mkv", _overwrite(mkv, at, scale)
    yield "ten thousand streams.mp4", _many_streams(mp4, 10_000)
    yield "no key frame.ts", ts[_TS_PACKET * 12 :]
    yield "only a header.mkv", mkv[:400]
    yield "sound alone.mkv", mkv.replace(b"V_MPEG4/ISO/AVC", b"V_NOSUCHTHING__")
    yield "unknown codec.mp4", mp4.replace(b"avc1", b"zzzz")


def _tiny_files() -> Iterator[Named]:
    """A few bytes, zeros, nothing."""
    for length in (1, 3, 11, 200):
        yield f"{length} bytes.mp4", bytes(range(length))
    for suffix in ("mp4", "png", "onnx", "npz", "task"):
        yield f"zeros.{suffix}", bytes(5000)
        yield f"empty.{suffix}", b""


def _archives() -> Iterator[Named]:
    """A decompression bomb, and an archive that would run code."""
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("images.npy", bytes(40_000_000))
    yield "zip bomb.npz", bomb.getvalue()
    pickled = io.BytesIO()
    np.savez(pickled, images=np.array([{"a": 1}], dtype=object))
    yield "pickle.npz", pickled.getvalue()


def _overwrite(content: bytes, at: int, value: bytes) -> bytes:
    return content[:at] + value + content[at + len(value) :]


def _png(width: int, height: int, data: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n"
    for kind, body in ((b"IHDR", header), (b"IDAT", data), (b"IEND", b"")):
        crc = struct.pack(">I", zlib.crc32(kind + body))
        content += struct.pack(">I", len(body)) + kind + body + crc
    return content


def _many_streams(mp4: bytes, count: int) -> bytes:
    """Repeat the track's box."""
    moov = mp4.index(b"moov") - 4
    track = mp4.index(b"trak", moov) - 4
    (length,) = struct.unpack_from(">I", mp4, track)
    (moov_length,) = struct.unpack_from(">I", mp4, moov)
    head = _overwrite(mp4[:track], moov, struct.pack(">I", moov_length + length * (count - 1)))
    return head + mp4[track : track + length] * count + mp4[track + length :]
