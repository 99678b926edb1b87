"""A group of twelve before a camera that moves slowly: all found, and each keeps its number."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from benchmarks.finding.faces import TestFace, load_group
from benchmarks.finding.matching import Eyes, Seen, faces_of, nearest
from benchmarks.finding.options import FindOptions
from benchmarks.finding.placing import Frame, background, paste, placement
from benchmarks.tables import Row, publish

SIZE = (1920, 1080)  # of the frame, pixels
COLUMNS, ROWS = 4, 3
_WIDTHS_PX = (90, 150)  # of the faces
_FPS, _FRAMES = 30, 300  # frames/s, and ten seconds
_SWAY_PX, _SWAY_S = 30.0, 5.0  # amplitude and period of each face's motion
_FIRST_FRAMES = 15  # faces may take so long to be found


def run(options: FindOptions) -> list[Row]:
    """Show twelve masked faces for ten seconds; count those found and filled, and their numbers."""
    count, frames = COLUMNS * ROWS, options.count or _FRAMES
    group = load_group(options, count)
    widths = np.random.default_rng([options.seed, 2]).uniform(*_WIDTHS_PX, count)
    scene = background(2, SIZE)
    ids: list[list[int]] = [[] for _ in group]
    filled = [0] * count
    begin = min(_FIRST_FRAMES, frames - 1)
    with options.unmasker("video", count) as unmasker:
        for number in track(range(frames), "group"):
            frame = scene.copy()
            eyes = draw(frame, group, widths, number)
            seen = faces_of(unmasker(frame, number / _FPS))
            if number < begin:
                continue
            for place, face in enumerate(_matched(seen, eyes, widths)):
                if face is not None:
                    ids[place].append(face.track_id)
                    filled[place] += face.filled
    late = frames - begin
    row = {
        "faces": count,
        "frames": frames,
        "always found": sum(len(one) == late for one in ids),
        "share found": sum(map(len, ids)) / (late * count),
        "share filled": sum(filled) / (late * count),
        "one number throughout": sum(len(set(one)) == 1 for one in ids),
        "numbers given": len({track_id for one in ids for track_id in one}),
    }
    details = {
        "faces": [
            {
                "name": face.name,
                "px": round(float(width)),
                "found": len(one) / late,
                "ids": sorted(set(one)),
            }
            for face, width, one in zip(group, widths, ids, strict=True)
        ]
    }
    return publish("find-group", [row], options.out, details)


def draw(
    frame: Frame, group: list[TestFace], widths: NDArray[np.float64], number: int
) -> list[Eyes]:
    """Draw the group into a frame, in place; return the true eyes of each face."""
    eyes = []
    cells = product(range(ROWS), range(COLUMNS))
    for place, (face, (row, column)) in enumerate(zip(group, cells, strict=True)):
        phase = 2 * np.pi * (number / (_FPS * _SWAY_S) + place / len(group))
        sway = _SWAY_PX * np.array([np.sin(phase), np.sin(2 * phase) / 2])
        cell = np.array([SIZE[0] / COLUMNS, SIZE[1] / ROWS])
        middle = cell * (column + 0.5, row + 0.5) + sway
        matrix = placement(face, middle, float(widths[place]), 5 * float(np.sin(phase)))
        eyes.append(paste(frame, face, matrix, masked=True))
    return eyes


def _matched(seen: list[Seen], eyes: list[Eyes], widths: NDArray[np.float64]) -> list[Seen | None]:
    return [nearest(seen, one, float(width)) for one, width in zip(eyes, widths, strict=True)]
