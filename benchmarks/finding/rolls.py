"""Faces turned by any angle: masked ones found and filled, bare ones left alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from rich.progress import track

from benchmarks.finding.faces import bare_pictures, load_faces
from benchmarks.finding.options import FindOptions
from benchmarks.finding.outcome import Outcome, last_of_stream, outcome, share
from benchmarks.finding.placing import background, paste, placement, random_middle, turned
from benchmarks.photographs.tiles import before_and_after, labelled, write_pages
from benchmarks.tables import Row, publish

_SIZE = (1280, 720)  # of the frames, pixels
_WIDTHS = (0.1, 0.3)  # of the faces, as a share of the frame's width
_STEP_DEG = 15
_PLACED, _WHOLE = 96, 480  # masked and bare faces placed in frames; whole pictures of bare faces
# The largest turn from upright of each row, degrees.
_CLASSES = {"0 to 30": 30, "45 to 75": 75, "90 to 120": 120, "135 to 180": 180}
_COLUMNS, _PER_PAGE = 4, 24


@dataclass(frozen=True)
class _Turned:
    """The outcomes of one face at one angle, masked and bare, as a picture and as a stream."""

    roll_deg: float
    picture: Outcome
    stream: Outcome
    bare_picture: Outcome
    bare_stream: Outcome

    @property
    def from_upright_deg(self) -> float:
        """The turn from upright to either side, 0..180 degrees."""
        return min(self.roll_deg % 360, -self.roll_deg % 360)


def run(options: FindOptions) -> list[Row]:
    """Count turned faces found, filled and touched; then whole pictures of bare faces turned."""
    placed = _placed(options)
    rows: list[Row] = []
    least = -1
    for name, most in _CLASSES.items():
        some = [one for one in placed if least < one.from_upright_deg <= most]
        rows.append(_row(name, some))
        least = most
    rows.append(_row("any", placed))
    publish("find-rolls", rows, options.out)
    return rows + _whole(options)


def _placed(options: FindOptions) -> list[_Turned]:
    count = options.count or _PLACED
    faces = load_faces(options, count)
    rng = np.random.default_rng([options.seed, 1])
    done = []
    with options.unmasker("image") as pictures, options.unmasker("video") as stream:
        for number in track(range(count), "turned faces"):
            face, roll_deg = faces[number % len(faces)], number * _STEP_DEG % 360
            width_px = float(rng.uniform(*_WIDTHS)) * _SIZE[0]
            middle = random_middle(rng, _SIZE, width_px)
            matrix = placement(face, middle, width_px, roll_deg)
            outcomes = []
            for masked in (True, False):
                frame = background(number, _SIZE)
                eyes = paste(frame, face, matrix, masked=masked)
                outcomes += [
                    outcome(result, eyes, width_px)
                    for result in (pictures(frame), last_of_stream(stream, frame))
                ]
            done.append(_Turned(roll_deg, *outcomes))
    return done


def _row(name: str, some: list[_Turned]) -> Row:
    row: dict[str, str | float | int] = {"degrees from upright": name, "faces": len(some)}
    for way in ("picture", "stream"):
        masked = [getattr(one, way) for one in some]
        bare = [getattr(one, f"bare_{way}") for one in some]
        row |= {
            f"{way}: found": share(masked, "found"),
            f"{way}: filled": share(masked, "filled"),
            f"{way}: right": share(masked, "right"),
            f"{way}: bare found": share(bare, "found"),
            f"{way}: bare touched": sum(one.touched for one in bare),
        }
    return row


def _whole(options: FindOptions) -> list[Row]:
    """Turn whole pictures of bare faces, each by the next angle; count those that are changed."""
    count = options.count or _WHOLE
    pictures = list(bare_pictures(options, count))
    touched, tiles, found = [], [], 0
    with options.unmasker("image") as unmasker:
        for number in track(range(count), "bare pictures"):
            name, picture = pictures[number % len(pictures)]
            roll_deg = number * _STEP_DEG % 360
            frame = turned(picture, roll_deg)
            result = unmasker(frame)
            found += bool(result.faces)
            if result.replaced.any():
                touched.append([name, roll_deg])
                tiles.append(labelled(before_and_after(frame, result.frame), f"{name} {roll_deg}"))
    if options.out is not None and tiles:
        write_pages(options.out / "sheet-find-rolls-bare.png", tiles, _COLUMNS, _PER_PAGE)
    row = {"bare pictures": count, "a face found": found / count, "touched": len(touched)}
    return publish("find-rolls-bare", [row], options.out, {"touched": touched})
