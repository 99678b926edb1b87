"""Photographs as pictures and as streams of equal frames, which must show as many faces."""

from __future__ import annotations

from benchmarks.finding.matching import faces_of
from benchmarks.finding.options import FindOptions
from benchmarks.finding.photographs import masked_photographs
from benchmarks.finding.placing import still
from benchmarks.tables import Row, publish

_COUNTS = (12, 15)  # frames of the streams, at 30 frames/s


def run(options: FindOptions) -> list[Row]:
    """Count photographs with a face found and filled, as a picture and as streams of equal frames."""
    ways = ["picture", *(f"stream of {count}" for count in _COUNTS)]
    found: dict[str, list[int]] = {way: [] for way in ways}
    filled: dict[str, list[int]] = {way: [] for way in ways}
    names = []
    with options.unmasker("image") as pictures, options.unmasker("video") as stream:
        for name, picture in masked_photographs(options, "equal frames", clear=True):
            names.append(name)
            stream.reset()
            results = [stream(frame, time_s) for frame, time_s in still(picture, max(_COUNTS))]
            shown = [pictures(picture), *(results[count - 1] for count in _COUNTS)]
            for way, result in zip(ways, shown, strict=True):
                faces = faces_of(result)
                found[way].append(len(faces))
                filled[way].append(sum(face.filled for face in faces))
    rows: list[Row] = [
        {
            "as": way,
            "photographs": len(names),
            "a face found": sum(map(bool, found[way])) / max(len(names), 1),
            "a face filled": sum(map(bool, filled[way])) / max(len(names), 1),
            "faces found": sum(found[way]),
            "faces filled": sum(filled[way]),
        }
        for way in ways
    ]
    each = zip(names, filled[ways[0]], filled[ways[-1]], strict=True)
    less = [name for name, as_picture, as_stream in each if as_stream < as_picture]
    return publish("find-equal", rows, options.out, {"fewer filled as a stream": less})
