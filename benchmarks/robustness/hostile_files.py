"""Makes broken, absurd and odd files, which a program must refuse in one line or read unharmed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import numpy as np

from benchmarks.robustness.good_files import good_files
from benchmarks.robustness.hostile_headers import absurd_headers
from benchmarks.robustness.hostile_media import hostile_media, sparse_files
from benchmarks.robustness.hostile_servers import hostile_server

_PICTURES = {".png", ".jpg", ".webp", ".tiff", ".bmp", ".gif"}
_OTHERS = {".onnx": "model", ".npz": "faces", ".task": "task"}
_HEAD = 400  # bytes that a single flipped bit lies in: a format's header


@dataclass(frozen=True)
class HostileFile:
    """A file or stream that must do no harm.

    Attributes:
        name: what is wrong with it.
        path: where it lies; bytes that are not UTF-8 are surrogates.
        address: of a stream, which has no path; else "".
    """

    name: str
    path: Path
    address: str = ""

    @property
    def kind(self) -> str:
        """ "video", "picture", "playlist", "model", "faces", "task" or "stream": what reads it."""
        if self.address:
            return "stream"
        if self.path.name.startswith("list"):
            return "playlist"
        suffix = self.path.suffix
        return "picture" if suffix in _PICTURES else _OTHERS.get(suffix, "video")


def hostile_files(folder: Path, count: int, seed: int = 0) -> Iterator[HostileFile]:
    """Make `count` files in `folder`; the same for the same seed.

    Absurd headers, media that are made to do harm, odd texts, names and places come first, then streams
    of a server that misbehaves, truncations and swapped heads, then random damage to good files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    good = good_files(folder / "good")
    rng = np.random.default_rng(seed)
    with hostile_server(folder / "good") as addresses:
        streams = (
            HostileFile(address.rpartition("/")[2], folder, address) for address in addresses
        )
        cases = (_odd(folder, good, rng), streams, _truncated(folder, good), _swapped(folder, good))
        yield from islice(chain(*cases, _damaged(folder, good, rng)), count)


def _odd(folder: Path, good: list[Path], rng: np.random.Generator) -> Iterator[HostileFile]:
    contents = {path.name: path.read_bytes() for path in good}
    for name, content in chain(absurd_headers(contents), hostile_media(contents, rng)):
        path = folder / name.replace(" ", "-")
        path.write_bytes(content)
        yield HostileFile(name, path)
    odd = (sparse_files(folder), _odd_texts(folder), _odd_names(folder, contents))
    odd = (*odd, _odd_places(folder))
    for name, path in chain.from_iterable(odd):
        yield HostileFile(name, path)


def _truncated(folder: Path, good: list[Path]) -> Iterator[HostileFile]:
    """Every good file, cut after each tenth."""
    for tenth in range(10):
        for path in good:
            content = path.read_bytes()
            yield _write(folder, f"cut{tenth}", path, content[: len(content) * tenth // 10])


def _swapped(folder: Path, good: list[Path]) -> Iterator[HostileFile]:
    """The head of one kind on the body of another, and a wrong suffix."""
    for number, path in enumerate(good):
        other = good[(number + 3) % len(good)]
        body, head = path.read_bytes(), other.read_bytes()[:64]
        yield _write(folder, "head", path, head + body[64:])
        yield _write(folder, "suffix", other, body)


def _damaged(folder: Path, good: list[Path], rng: np.random.Generator) -> Iterator[HostileFile]:
    """Bits flipped, and stretches zeroed or taken out, without end."""
    number = 0
    while True:
        for path in good:
            content = bytearray(path.read_bytes())
            way = number % 5
            if way < 3:
                for _ in range((1, 20, 400)[way]):
                    at = int(rng.integers(len(content) if way else min(len(content), _HEAD)))
                    content[at] ^= 1 << int(rng.integers(8))
            else:
                start = int(rng.integers(len(content)))
                length = int(rng.integers(1, max(len(content) // 4, 2)))
                content[start : start + length] = bytes(length) if way == 3 else b""
            yield _write(folder, f"damage{number}", path, bytes(content))
            number += 1


def _write(folder: Path, name: str, good: Path, content: bytes) -> HostileFile:
    path = folder / f"{name}-{good.stem}" / good.name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return HostileFile(f"{name} of {good.name}", path)


def _odd_texts(folder: Path) -> Iterator[tuple[str, Path]]:
    """Write text that FFmpeg would follow to other files and hosts; yield name and path of each."""
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
        yield name, path


def _odd_names(folder: Path, good: dict[str, bytes]) -> Iterator[tuple[str, Path]]:
    """Write good files under names that a shell, a format string or FFmpeg would interpret."""
    names: list[bytes] = [
        b"a b.mp4", b"'quoted'.mp4", b'"double".mp4', b"new\nline.mp4", b"tab\t.mp4", b"-dash.mp4",
        b"%s%n.mp4", b"$(id).mp4", b"\xff\xfe.mp4", b"\xc3\x28.png", b"file:x.mp4", b"x?y#z.mp4",
        b"%03d.png", "ünïcödé 字.mp4".encode(), b"a" * 240 + b".mp4", b"pipe:0.mp4", b"new\nline.png",
    ]  # fmt: skip
    for raw in names:
        path = folder / os.fsdecode(raw)
        path.write_bytes(good["p.png"] if raw.endswith(b"png") else good["a.mp4"])
        yield f"name {raw!r}", path


def _odd_places(folder: Path) -> Iterator[tuple[str, Path]]:
    """Make links, folders, pipes and devices in the place of files."""
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
        yield name, path
