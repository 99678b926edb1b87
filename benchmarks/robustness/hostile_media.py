"""Pictures, videos, playlists and models that are made to do harm: formats, sizes, tags and references."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

_SHORT, _LONG = 3, 4  # TIFF's types
_TIFF_TYPES = 13
_SPARSE_BYTES = 12 << 30
_MOST_ZEROS = 20_000_000  # bytes of pixels in a file; a larger picture is cut short
Named = tuple[str, bytes]


def hostile_media(good: dict[str, bytes], rng: np.random.Generator) -> Iterator[Named]:
    """Yield file names, which say what is wrong, and contents.

    Args:
        good: contents by the names of the good files.
        rng: draws tags and values.
    """
    yield from _other_formats()
    yield from _sizes()
    yield from _tiffs()
    yield from _malformed_tags(rng)
    yield from _playlists()
    yield from _videos(good["a.mp4"])


def sparse_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Make files of 12 GB that take no room; yield name and path of each."""
    for suffix in ("png", "tiff", "mp4", "ts", "onnx"):
        path = folder / f"sparse.{suffix}"
        with path.open("wb") as file:
            file.truncate(_SPARSE_BYTES)
        yield f"sparse {suffix}", path


def _other_formats() -> Iterator[Named]:
    """Formats that are not meant, under names of those that are."""
    loop = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n%%EndComments\n{} loop\n%%EOF\n"
    for suffix in ("png", "jpg", "tiff", "gif"):
        yield f"postscript.{suffix}", loop
    yield (
        "binary postscript.png",
        b"\xc5\xd0\xd3\xc6" + struct.pack("<6I", 32, 99, 0, 0, 0, 0) + loop,
    )
    yield "document.png", b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
    yield "layers.png", b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 9, 9, 8, 3) + bytes(99)
    yield "macintosh.png", bytes(522) + b"\0\x11\x02\xff" + bytes(99)
    for kind in ("PCX", "SGI", "TGA", "ICO", "ICNS", "MSP", "XBM", "PALM", "PDF", "EPS"):
        file = io.BytesIO()
        try:
            Image.new("1" if kind in ("MSP", "XBM") else "L", (64, 64)).save(file, kind)
        except (OSError, KeyError, ValueError):
            continue
        yield f"{kind.lower()}.png", file.getvalue()


def _sizes() -> Iterator[Named]:
    """Sides and depths that take much memory for few bytes."""
    for width, height, depth, kind in (
        *((40_000, 64, 8, 2), (64, 40_000, 8, 0), (32_766, 16, 8, 2), (16, 32_767, 8, 2)),
        *(
            (1, 1000, 8, 2),
            (1000, 1, 8, 2),
            (1, 1, 16, 6),
            (9400, 9400, 16, 6),
            (12_000, 12_000, 1, 0),
        ),
        *((18_000, 18_000, 8, 0), (7000, 7000, 16, 6)),
    ):
        channels = {0: 1, 2: 3, 6: 4}[kind]
        row = 1 + -(-width * channels * depth // 8)
        yield (
            f"{width}x{height} of {depth} bits.png",
            _png(width, height, depth, kind, row * height),
        )


def _png(width: int, height: int, depth: int, kind: int, zeros: int) -> bytes:
    """A picture of zeros, of which at most `_MOST_ZEROS` are there."""
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    data = zlib.compress(bytes(min(zeros, _MOST_ZEROS)), 6)
    content = b"\x89PNG\r\n\x1a\n"
    for name, body in ((b"IHDR", header), (b"IDAT", data), (b"IEND", b"")):
        crc = struct.pack(">I", zlib.crc32(name + body))
        content += struct.pack(">I", len(body)) + name + body + crc
    return content


def _tiffs() -> Iterator[Named]:
    """Kinds that Pillow does not know, sizes that are missing or absurd, and very many pages."""
    for side, bits, samples in (
        *((32_000, 12, 1), (28_000, 10, 4), (9000, 12, 1), (65_535, 8, 3), (50, 24, 3), (0, 8, 1)),
        *((50, 12, 1), (50, 64, 1), (2**31 - 1, 1, 1)),
    ):
        data = zlib.compress(bytes(4000))
        yield f"{side}² of {samples} times {bits} bits.tiff", _tiff(side, bits, samples, data)
    yield "no size.tiff", _directories([{258: (_SHORT, 1, 8)}])
    yield "one page after itself.tiff", b"II*\0\x08\0\0\0\0\0\x08\0\0\0"
    page = {256: (_LONG, 1, 4), 257: (_LONG, 1, 4), 258: (_SHORT, 1, 8), 262: (_SHORT, 1, 1)}
    page |= {273: (_LONG, 1, 8), 277: (_SHORT, 1, 1), 278: (_LONG, 1, 4), 279: (_LONG, 1, 16)}
    yield "many pages.tiff", _directories([page] * 20_000, bytes(16))


def _tiff(side: int, bits: int, samples: int, data: bytes) -> bytes:
    """One page; the bits of several samples lie behind its data."""
    at = 8 + len(data)
    page = {
        256: (_LONG, 1, side),
        257: (_LONG, 1, side),
        258: (_SHORT, 1, bits),
        259: (_SHORT, 1, 8),
    }
    page |= {262: (_SHORT, 1, 1), 273: (_LONG, 1, 8), 277: (_SHORT, 1, samples)}
    page |= {278: (_LONG, 1, side), 279: (_LONG, 1, len(data))}
    if samples > 1:
        page |= {258: (_SHORT, samples, at), 262: (_SHORT, 1, 2)}
    if samples == 2:
        page[258] = (_SHORT, 2, bits | bits << 16)
    return _directories([page], data + struct.pack(f"<{samples}H", *[bits] * samples))


def _directories(pages: list[dict[int, tuple[int, int, int]]], body: bytes = b"") -> bytes:
    """A TIFF file: type, count and value or place by tag, for each page; `body` begins at byte 8."""
    content = [b"II*\0" + struct.pack("<I", 8 + len(body)) + body]
    at = 8 + len(body)
    for number, page in enumerate(pages):
        directory = struct.pack("<H", len(page))
        for tag, (kind, count, value) in sorted(page.items()):
            directory += struct.pack("<HHII", tag, kind, count, value)
        at += len(directory) + 4
        content.append(directory + struct.pack("<I", at if number + 1 < len(pages) else 0))
    return b"".join(content)


def _malformed_tags(rng: np.random.Generator) -> Iterator[Named]:
    """EXIF tags of wrong types, counts and places, in JPEG, PNG and WebP files."""
    tags = [0x010E, 0x010F, 0x0110, 0x0112, 0x011A, 0x0131, 0x013B, 0x8298, 0x8769, 0x8825, 0xA005]
    for number in range(60):
        page = {
            int(tag): (
                int(rng.integers(0, _TIFF_TYPES + 1)),
                int(rng.choice([0, 1, 1, 1, 2, 40, 2**31])),
                int(rng.choice([0, 1, 5, 8, 65, 2**31 - 1])),
            )
            for tag in rng.choice(tags, int(rng.integers(1, 6)), replace=False)
        }
        kind = ("JPEG", "PNG", "WEBP")[number % 3]
        file = io.BytesIO()
        block = b"Exif\0\0" + _directories([page])
        Image.new("RGB", (64, 48), (90, 120, 60)).save(file, kind, exif=block)
        yield f"tags {number}.{kind.lower().replace('jpeg', 'jpg')}", file.getvalue()


def _playlists() -> Iterator[Named]:
    """Lists of further files, under every name."""
    head = "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n"
    texts = {
        "of a file": head + "good/a.ts\n#EXT-X-ENDLIST\n",
        "of an absolute path": head + "file:///etc/passwd\n#EXT-X-ENDLIST\n",
        "without end": head + "good/a.ts\n",
        "of nothing": "#EXTM3U\n",
        "of a key": head.replace("#EXTINF", '#EXT-X-KEY:METHOD=AES-128,URI="/etc/passwd"\n#EXTINF')
        + "good/a.ts\n#EXT-X-ENDLIST\n",
    }
    for what, text in texts.items():
        for suffix in ("m3u8", "ts", "mp4"):
            yield f"list {what}.{suffix}", text.encode()
            itself = head + f"list-of-itself.{suffix}\n"
            yield f"list of itself.{suffix}", itself.encode()
    yield "list.ffconcat", b"ffconcat version 1.0\nfile good/a.ts\n"
    yield (
        "list.mpd",
        b'<?xml version="1.0"?><MPD><Period><BaseURL>good/a.mp4</BaseURL></Period></MPD>',
    )


def _videos(mp4: bytes) -> Iterator[Named]:
    """Headers that claim more than the stream holds, and very many boxes."""
    at = mp4.index(b"avc1") + 28
    for width, height in ((8192, 4608), (16_384, 16_384), (65_535, 1)):
        sides = struct.pack(">HH", width, height)
        yield f"stated size {width}x{height}.mp4", mp4[:at] + sides + mp4[at + 4 :]
    yield "many boxes.mp4", mp4 + struct.pack(">I4s", 8, b"free") * 1_000_000
    yield "colour matrix 12.mp4", mp4.replace(b"colrnclx\0\1\0\1\0\1", b"colrnclx\0\1\0\1\0\x0c")
