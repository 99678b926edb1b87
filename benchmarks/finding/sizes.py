"""Faces of a known width in large frames, as pictures and after half a second of a stream."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product

import numpy as np
from rich.progress import track

from benchmarks.finding.crops import CropRecorder
from benchmarks.finding.faces import TestFace, load_faces
from benchmarks.finding.options import FindOptions
from benchmarks.finding.outcome import Outcome, last_of_stream, outcome, share
from benchmarks.finding.placing import background, paste, placement, random_middle
from benchmarks.tables import Row, publish

_FRAMES = ((1920, 1080), (1280, 720))  # width and height, pixels
_SHARES = (0.25, 0.2, 0.16, 0.13, 0.1, 0.08, 0.06, 0.05, 0.04, 0.03, 0.025)  # of the frame's width
_FACES = 10  # of each size
Ways = dict[str, list[Outcome]]
"""Outcomes by "picture" and "stream"."""


@dataclass
class SizeOutcomes:
    """The outcomes of one width, each face masked and bare at the same place."""

    masked: Ways = field(default_factory=lambda: {"picture": [], "stream": []})
    bare: Ways = field(default_factory=lambda: {"picture": [], "stream": []})


def run(options: FindOptions) -> list[Row]:
    """Count faces found and filled by their width, masked and bare, at random places."""
    count = options.count or _FACES
    faces = load_faces(options, count)
    group = [faces[number % len(faces)] for number in range(count)]
    rows: list[Row] = []
    missed: dict[str, list[str]] = {}
    with options.unmasker("image") as pictures, options.unmasker("video") as stream:
        for size, part in track(list(product(_FRAMES, _SHARES)), "sizes"):
            one = one_size(group, size, part, (pictures, stream), options.seed)
            frame = f"{size[0]}x{size[1]}"
            rows.append(_row(frame, part, round(part * size[0]), one))
            outcomes = zip(group, one.masked["stream"], strict=True)
            missed[f"{frame} {part:.1%}"] = [face.name for face, out in outcomes if not out.filled]
    return publish("find-sizes", rows, options.out, {"masked, not filled in the stream": missed})


def one_size(
    group: list[TestFace],
    size: tuple[int, int],
    part: float,
    unmaskers: tuple[CropRecorder, CropRecorder],
    seed: int = 0,
) -> SizeOutcomes:
    """Look for each face, masked and bare, at a place drawn at random.

    Args:
        group: the faces, one after another.
        size: width and height of the frame, pixels.
        part: width of the face, of the frame's width.
        unmaskers: for pictures and for streams.
        seed: of the places.
    """
    one, (pictures, stream) = SizeOutcomes(), unmaskers
    rng = np.random.default_rng([seed, size[0], round(part * 1000)])
    width_px = part * size[0]
    for number, face in enumerate(group):
        scene = background(number, size)
        matrix = placement(face, random_middle(rng, size, width_px), width_px)
        for masked, ways in ((True, one.masked), (False, one.bare)):
            frame = scene.copy()
            eyes = paste(frame, face, matrix, masked=masked)
            results = {"picture": pictures(frame), "stream": last_of_stream(stream, frame)}
            for way, result in results.items():
                ways[way].append(outcome(result, eyes, width_px))
    return one


def _row(frame: str, part: float, width_px: int, one: SizeOutcomes) -> Row:
    row: dict[str, str | float | int] = {
        "frame": frame,
        "width, %": part * 100,
        "px": width_px,
        "faces": len(one.masked["picture"]),
    }
    for way in one.masked:
        row |= {
            f"{way}: found": share(one.masked[way], "found"),
            f"{way}: filled": share(one.masked[way], "filled"),
            f"{way}: right": share(one.masked[way], "right"),
            f"{way}: bare found": share(one.bare[way], "found"),
            f"{way}: bare touched": sum(out.touched for out in one.bare[way]),
        }
    return row
