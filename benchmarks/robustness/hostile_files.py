"""Makes broken, absurd and odd files, which a program must refuse in one line or read unharmed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import numpy as np

from benchmarks.robustness.good_files import good_files
from benchmarks.robustness.hostile_headers import absurd_headers
from benchmarks.robustness.hostile_places import odd_names, odd_places, odd_texts

_PICTURES = {".png", ".jpg", ".webp", ".tiff", ".bmp", ".gif"}
_OTHERS = {".onnx": "model", ".npz": "faces", ".task": "task"}
_HEAD = 400  # bytes that a single flipped bit lies in: a format's header


@dataclass(frozen=True)
class HostileFile:
    """A file that must do no harm.

    Attributes:
        name: what is wrong with it.
        path: where it lies; bytes that are not UTF-8 are surrogates.
    """

    name: str
    path: Path

    @property
    def kind(self) -> str:
        """ "video", "picture", "model", "faces" or "task": which commands read it."""
        suffix = self.path.suffix
        return "picture" if suffix in _PICTURES else _OTHERS.get(suffix, "video")


def hostile_files(folder: Path, count: int, seed: int = 0) -> Iterator[HostileFile]:
    """Make `count` files in `folder`; the same for the same seed.

    Absurd headers, odd texts, names and places come first, then truncations and swapped heads, then
    random damage to good files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    good = good_files(folder / "good")
    rng = np.random.default_rng(seed)
    cases = (_odd(folder, good), _truncated(folder, good), _swapped(folder, good))
    yield from islice(chain(*cases, _damaged(folder, good, rng)), count)


def _odd(folder: Path, good: list[Path]) -> Iterator[HostileFile]:
    contents = {path.name: path.read_bytes() for path in good}
    for name, content in absurd_headers(contents):
        path = folder / name.replace(" ", "-")
        path.write_bytes(content)
        yield HostileFile(name, path)
    odd = (odd_texts(folder), odd_names(folder, contents), odd_places(folder))
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
