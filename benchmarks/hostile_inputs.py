"""Makes broken, absurd and odd files: what a program that reads files must refuse in one line."""

from __future__ import annotations

import io
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.error
import cv2
import numpy as np

_VIDEO, _PICTURE, _MODEL, _FACES, _TASK = "video", "picture", "model", "faces", "task"


@dataclass(frozen=True)
class Hostile:
    """A file that should do no harm.

    Attributes:
        name: what is wrong with it.
        path: where it lies; bytes that are no UTF-8 are surrogates.
        kind: "video", "picture", "model", "faces" or "task": which commands read it.
    """

    name: str
    path: Path
    kind: str


def hostile_files(folder: Path, count: int, seed: int = 0) -> Iterator[Hostile]:
    """Make `count` files in `folder`; the same for the same seed.

    The special ones come first, spread, then truncations, then random damage to good files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    seeds = _good_files(folder / "good")
    made = 0
    for maker in (_special, _truncated, _swapped, _damaged):
        for case in maker(folder, seeds, np.random.default_rng(seed)):
            yield case
            made += 1
            if made == count:
                return


def _kind(path: Path) -> str:
    suffix = path.suffix
    if suffix in (".png", ".jpg", ".webp", ".tiff", ".bmp", ".gif"):
        return _PICTURE
    return {".onnx": _MODEL, ".npz": _FACES, ".task": _TASK}.get(suffix, _VIDEO)


def _good_files(folder: Path) -> list[Path]:
    """Write one good file of every kind."""
    folder.mkdir(exist_ok=True)
    xs, ys = np.meshgrid(np.arange(96), np.arange(64))
    ways = ((1, 0), (0, 1), (1, 1))
    images = [
        np.stack([128 + 90 * np.sin((xs * a + ys * b) / 20 + n / 6) for a, b in ways], 2)
        for n in range(20)
    ]
    images = [image.astype(np.uint8) for image in images]
    videos = [
        ("a.mp4", "libx264", "yuv420p"),
        ("a.mkv", "libx264", "yuv444p"),
        ("b.mp4", "libx265", "yuv420p10le"),
        ("a.webm", "libvpx-vp9", "yuv420p"),
        ("a.avi", "mpeg4", "yuv420p"),
        ("a.mov", "prores_ks", "yuv422p10le"),
        ("a.ts", "libx264", "yuv420p"),
        ("a.mpg", "mpeg2video", "yuv420p"),
        ("a.gif", "gif", "rgb8"),
        ("raw.avi", "rawvideo", "yuv420p"),
        ("png.mov", "png", "rgba"),
        ("ff.mkv", "ffv1", "gray16le"),
        ("mono.mkv", "ffv1", "bgra64le"),
        ("nut.nut", "ffv1", "yuv410p"),
        ("pal.avi", "rawvideo", "pal8"),
        ("fl.flv", "flv1", "yuv420p"),
        ("wm.wmv", "wmv2", "yuv420p"),
    ]
    for name, codec, pixel_format in videos:
        _write_video(folder / name, codec, pixel_format, images)
    for suffix in (".png", ".jpg", ".webp", ".tiff", ".bmp"):
        cv2.imwrite(str(folder / f"p{suffix}"), images[0])
    cv2.imwrite(str(folder / "deep.png"), images[0].astype(np.uint16) * 257)
    weights = Path(__file__).parents[1] / "inpaint_model" / "weights" / "fast.int8.onnx"
    (folder / "m.onnx").write_bytes(weights.read_bytes())
    np.savez(folder / "f.npz", images=np.zeros((4, 128, 128, 3), np.uint8))
    with zipfile.ZipFile(folder / "face_landmarker.task", "w") as file:
        file.writestr("face_detector.tflite", b"TFL3" * 50)
    return sorted(path for path in folder.iterdir() if path.stat().st_size)


def _write_video(path: Path, codec: str, pixel_format: str, images: list[np.ndarray]) -> None:
    try:
        with av.open(str(path), "w") as file:
            stream = file.add_stream(codec, rate=25)
            assert isinstance(stream, av.VideoStream)
            stream.width, stream.height, stream.pix_fmt = 96, 64, pixel_format
            if codec == "libx265":
                stream.codec_context.options = {"x265-params": "log-level=none"}
            if path.suffix in (".mp4", ".mkv", ".mov"):
                file.add_stream("aac", rate=48000)
            for index, image in enumerate(images):
                frame = av.VideoFrame.from_ndarray(image, format="bgr24")
                frame.pts, frame.time_base = index, Fraction(1, 25)
                file.mux(stream.encode(frame))
            file.mux(stream.encode(None))
    except (av.error.FFmpegError, ValueError):
        path.unlink(missing_ok=True)  # this build of FFmpeg does not write it


def _truncated(folder: Path, seeds: list[Path], _: np.random.Generator) -> Iterator[Hostile]:
    """Cut at every tenth."""
    for tenth in range(10):
        for seed in seeds:
            content = seed.read_bytes()
            yield _write(folder, f"cut{tenth}", seed, content[: len(content) * tenth // 10])


def _swapped(folder: Path, seeds: list[Path], _: np.random.Generator) -> Iterator[Hostile]:
    """The head of one kind on the body of another, and a wrong suffix."""
    for number, seed in enumerate(seeds):
        other = seeds[(number + 3) % len(seeds)]
        body, head = seed.read_bytes(), other.read_bytes()[:64]
        yield _write(folder, "head", seed, head + body[64:])
        yield _write(folder, "suffix", other, body)


def _damaged(folder: Path, seeds: list[Path], rng: np.random.Generator) -> Iterator[Hostile]:
    """Bits flipped, stretches zeroed, doubled or taken out, without end."""
    number = 0
    while True:
        for seed in seeds:
            content = bytearray(seed.read_bytes())
            way = number % 5
            if way < 3:
                for _ in range((1, 20, 400)[way]):
                    at = int(rng.integers(len(content) if way else min(len(content), 400)))
                    content[at] ^= 1 << int(rng.integers(8))
            else:
                start = int(rng.integers(len(content)))
                length = int(rng.integers(1, max(len(content) // 4, 2)))
                replacement = bytes(length) if way == 3 else b""
                content[start : start + length] = replacement
            yield _write(folder, f"damage{number}", seed, bytes(content))
            number += 1


def _write(folder: Path, name: str, seed: Path, content: bytes) -> Hostile:
    place = folder / f"{name}-{seed.stem}"
    place.mkdir(exist_ok=True)
    path = place / seed.name
    path.write_bytes(content)
    return Hostile(f"{name} of {seed.name}", path, _kind(seed))


def _special(folder: Path, seeds: list[Path], _: np.random.Generator) -> Iterator[Hostile]:
    good = {seed.name: seed.read_bytes() for seed in seeds}
    for name, content in _headers(good):
        path = folder / name.replace(" ", "-")
        path.write_bytes(content)
        yield Hostile(name, path, _kind(path))
    yield from _texts(folder)
    yield from _names(folder, good)
    yield from _places(folder)


def _headers(good: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """Headers that promise the absurd."""
    mp4, png, jpg = good["a.mp4"], good["p.png"], good["p.jpg"]
    for side in (0, 1, 30_000, 65_535, 0x7FFFFFFF):
        yield f"png of side {side}.png", _png_header(png, side)
    for side in (0, 1, 65_500):
        at = jpg.index(b"\xff\xc0") + 5
        yield f"jpeg of side {side}.jpg", jpg[:at] + struct.pack(">HH", side, side) + jpg[at + 4 :]
    bmp = good["p.bmp"]
    for side in (0, -1, 0x7FFFFFFF, 40_000):
        yield f"bmp of side {side}.bmp", bmp[:18] + struct.pack("<ii", side, side) + bmp[26:]
    bomb = zlib.compress(bytes(60_000_000), 9)
    yield "png bomb.png", _png(20_000, 1000, bomb)
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
    avi = good["a.avi"]
    at = avi.index(b"strh") + 28
    for scale, rate in ((0, 0), (0, 25), (0xFFFFFFFF, 1), (1, 0xFFFFFFFF)):
        yield (
            f"rate {rate} by {scale}.avi",
            avi[:at] + struct.pack("<II", scale, rate) + avi[at + 8 :],
        )
    for side in (0, 1, -64, 100_000):
        at = avi.index(b"strf") + 12
        yield f"avi of side {side}.avi", avi[:at] + struct.pack("<ii", side, side) + avi[at + 8 :]
    mkv = good["a.mkv"]
    at = mkv.index(b"\x2a\xd7\xb1") + 4
    for scale in (b"\x00\x00\x00", b"\xff\xff\xff"):
        yield f"time scale {scale.hex()}.mkv", mkv[:at] + scale + mkv[at + 3 :]
    yield "ten thousand streams.mp4", _many_streams(mp4, 10_000)
    yield "no key frame.ts", good["a.ts"][188 * 12 :]
    yield "only a header.mkv", mkv[:400]
    yield "sound alone.mkv", mkv.replace(b"V_MPEG4/ISO/AVC", b"V_NOSUCHTHING__")
    yield "unknown codec.mp4", mp4.replace(b"avc1", b"zzzz")
    for length in (1, 3, 11, 200):
        yield f"{length} bytes.mp4", bytes(range(length % 256))[:length]
    for suffix in ("mp4", "png", "onnx", "npz", "task"):
        yield f"zeros.{suffix}", bytes(5000)
        yield f"empty.{suffix}", b""
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


def _texts(folder: Path) -> Iterator[Hostile]:
    """Text that FFmpeg would follow to other files and hosts."""
    texts = {
        "list.m3u8": "#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
        "net.m3u8": "#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n",
        "list.mp4": "ffconcat version 1.0\nfile '/etc/passwd'\n",
        "call.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
        "page.mkv": "<html><body>not a video</body></html>\n",
        "words.mp4": "word " * 4000,
        "entity.svg.png": '<!DOCTYPE s [<!ENTITY a "aaaa">]><svg>&a;</svg>',
        "words.onnx": "word " * 4000,
    }
    for name, text in texts.items():
        path = folder / name
        path.write_text(text)
        yield Hostile(name, path, _kind(path))


def _names(folder: Path, good: dict[str, bytes]) -> Iterator[Hostile]:
    names: list[bytes] = [
        b"a b.mp4", b"'quoted'.mp4", b'"double".mp4', b"new\nline.mp4", b"tab\t.mp4", b"-dash.mp4",
        b"%s%n.mp4", b"$(id).mp4", b"\xff\xfe.mp4", b"\xc3\x28.png", b"file:x.mp4", b"x?y#z.mp4",
        b"%03d.png", "ünïcödé 字.mp4".encode(), b"a" * 240 + b".mp4", b"pipe:0.mp4", b"new\nline.png",
    ]  # fmt: skip
    for raw in names:
        path = folder / os.fsdecode(raw)
        path.write_bytes(good["p.png"] if raw.endswith(b"png") else good["a.mp4"])
        yield Hostile(f"name {raw!r}", path, _kind(path))


def _places(folder: Path) -> Iterator[Hostile]:
    """What is no ordinary file."""
    makers: list[tuple[str, Callable[[Path], None]]] = [
        ("loop.mp4", lambda path: path.symlink_to(path)),
        ("dangling.mp4", lambda path: path.symlink_to(folder / "nothing")),
        ("folder.mp4", lambda path: path.mkdir()),
        ("pipe.mp4", lambda path: os.mkfifo(path)),
        ("device.mp4", lambda path: path.symlink_to("/dev/zero")),
        ("loop.png", lambda path: path.symlink_to(path)),
        ("pipe.png", lambda path: os.mkfifo(path)),
        ("device.png", lambda path: path.symlink_to("/dev/zero")),
        ("missing.onnx", lambda _: None),
        ("folder.onnx", lambda path: path.mkdir()),
    ]
    for name, make in makers:
        path = folder / name
        make(path)
        yield Hostile(name, path, _kind(path))
