"""Faces of a known width in large frames, as pictures and after half a second of a stream."""

from __future__ import annotations

from itertools import product

import numpy as np
from rich.progress import track

from benchmarks.finding.faces import TestFace, load_group
from benchmarks.finding.options import FindOptions
from benchmarks.finding.outcome import FaceOutcomes, Look, columns, open_look
from benchmarks.finding.placing import background, placement, random_middle
from benchmarks.tables import Row, publish

_FRAMES = ((1920, 1080), (1280, 720))  # width and height, pixels
_SHARES = (0.25, 0.2, 0.16, 0.13, 0.1, 0.08, 0.06, 0.05, 0.04, 0.03, 0.025)  # of the frame's width
_FACES = 10  # of each size


def run(options: FindOptions) -> list[Row]:
    """Count faces found and filled by their width, masked and bare, at random places."""
    group = load_group(options, options.count or _FACES)
    rows: list[Row] = []
    missed: dict[str, list[str]] = {}
    with open_look(options) as look:
        for size, part in track(list(product(_FRAMES, _SHARES)), "sizes"):
            every = one_size(group, size, part, look, options.seed)
            frame, pairs = f"{size[0]}x{size[1]}", zip(group, every, strict=True)
            width = {"frame": frame, "width, %": part * 100, "px": round(part * size[0])}
            rows.append({**width, **columns(every)})
            not_filled = [face.name for face, one in pairs if not one.masked_stream.filled]
            missed[f"{frame} {part:.1%}"] = not_filled
    return publish("find-sizes", rows, options.out, {"masked, not filled in the stream": missed})


def one_size(
    group: list[TestFace], size: tuple[int, int], part: float, look: Look, seed: int = 0
) -> list[FaceOutcomes]:
    """Look for each face, masked and bare, at a place drawn at random.

    Args:
        group: the faces, one after another.
        size: width and height of the frame, pixels.
        part: width of the face, of the frame's width.
        look: shows the frames.
        seed: of the places.
    """
    rng = np.random.default_rng([seed, size[0], round(part * 1000)])
    width_px = part * size[0]
    every = []
    for number, face in enumerate(group):
        matrix = placement(face, random_middle(rng, size, width_px), width_px)
        every.append(look(background(number, size), face, matrix))
    return every
