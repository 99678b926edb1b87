"""Faces turned by any angle: masked ones found and filled, bare ones left alone."""

from __future__ import annotations

import numpy as np
from rich.progress import track

from benchmarks.finding.faces import bare_pictures, load_group
from benchmarks.finding.options import FindOptions
from benchmarks.finding.outcome import FaceOutcomes, columns, open_look
from benchmarks.finding.placing import background, placement, random_middle, turned
from benchmarks.photographs.tiles import before_and_after, labelled, write_pages
from benchmarks.tables import Row, publish

_SIZE = (1280, 720)  # of the frames, pixels
_WIDTHS = (0.1, 0.3)  # of the faces, as a share of the frame's width
_STEP_DEG = 15
_PLACED, _WHOLE = 96, 480  # masked and bare faces placed in frames; whole pictures of bare faces
# The largest turn from upright of each row, degrees.
_CLASSES = {"0 to 30": 30, "45 to 75": 75, "90 to 120": 120, "135 to 180": 180}
_COLUMNS, _PER_PAGE = 4, 24


def run(options: FindOptions) -> list[Row]:
    """Count turned faces found, filled and touched; then whole pictures of bare faces turned."""
    placed = _placed(options)
    rows: list[Row] = []
    least = -1
    for name, most in _CLASSES.items():
        some = [one for turn_deg, one in placed if least < turn_deg <= most]
        rows.append({"degrees from upright": name, **columns(some)})
        least = most
    rows.append({"degrees from upright": "any", **columns([one for _, one in placed])})
    publish("find-rolls", rows, options.out)
    return rows + _whole(options)


def _placed(options: FindOptions) -> list[tuple[float, FaceOutcomes]]:
    """Turn each face by the next angle; return its turn from upright, 0..180 degrees, and its outcomes."""
    group = load_group(options, options.count or _PLACED)
    rng = np.random.default_rng([options.seed, 1])
    done = []
    with open_look(options) as look:
        for number, face in enumerate(track(group, "turned faces")):
            roll_deg = number * _STEP_DEG % 360
            width_px = float(rng.uniform(*_WIDTHS)) * _SIZE[0]
            matrix = placement(face, random_middle(rng, _SIZE, width_px), width_px, roll_deg)
            outcomes = look(background(number, _SIZE), face, matrix)
            done.append((min(roll_deg, 360 - roll_deg), outcomes))
    return done


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
            if result.any_replaced:
                touched.append([name, roll_deg])
                tiles.append(labelled(before_and_after(frame, result.frame), f"{name} {roll_deg}"))
    if options.out is not None and tiles:
        write_pages(options.out / "sheet-find-rolls-bare.png", tiles, _COLUMNS, _PER_PAGE)
    row = {"bare pictures": count, "a face found": found / count, "touched": len(touched)}
    return publish("find-rolls-bare", [row], options.out, {"touched": touched})
