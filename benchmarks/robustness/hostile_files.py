"""Makes broken, absurd and odd files: what a program that reads files must refuse in one line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from benchmarks.robustness.good_files import good_files
from benchmarks.robustness.hostile_headers import absurd_headers
from benchmarks.robustness.hostile_places import odd_names, odd_places, odd_texts

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
    seeds = good_files(folder / "good")
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
    for name, content in absurd_headers(good):
        path = folder / name.replace(" ", "-")
        path.write_bytes(content)
        yield Hostile(name, path, _kind(path))
    odd = (odd_texts(folder), odd_names(folder, good), odd_places(folder))
    for name, path in chain.from_iterable(odd):
        yield Hostile(name, path, _kind(path))
