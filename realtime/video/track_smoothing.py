"""Smooths tracks with frames from both sides, and fills their gaps: files can be better than live.

The transform of a track at a frame is a local straight line through the transforms of the frames around:
there is no lag, and a frame in which the face was missed lies on the line. The window is short, so memory
does not grow.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from realtime.align.similarity_vector import TURN, to_matrix, to_vector
from realtime.frames import TrackedFace, TrackedFrame
from realtime.video.window import windowed

T = TypeVar("T")
WINDOW = 6  # frames on each side
_SIGMA_FRAMES = 2.2  # of the Gaussian that weights near frames more


@dataclass(frozen=True)
class _Entry:
    """A track in one frame; the vector of its transform is None where the face was missed."""

    face: TrackedFace
    vector: NDArray[np.float64] | None


Entries = dict[int, _Entry]


def smooth_tracks(
    items: Iterable[tuple[T, TrackedFrame]], window: int = WINDOW
) -> Iterator[tuple[T, TrackedFrame]]:
    """Yield the same items in the same order, `window` later, with smoothed transforms.

    Args:
        items: what travels along, and the frame with its faces, whose transforms are not smoothed yet.
        window: so many frames on each side count.
    """
    for (item, tracked), around, place in windowed(items, _entries_of, window):
        yield item, _smoothed(tracked, around, place)


def _entries_of(pair: tuple[T, TrackedFrame]) -> Entries:
    return {
        face.track_id: _Entry(face, to_vector(face.matrix) if face.found else None)
        for face in pair[1].faces
    }


def _smoothed(tracked: TrackedFrame, around: deque[Entries], place: int) -> TrackedFrame:
    here = around[place]
    numbers = [*here, *(number for number in _in_gaps(around, place) if number not in here)]
    faces = []
    for number in numbers:
        entries = [
            (index - place, found[number]) for index, found in enumerate(around) if number in found
        ]
        face = here[number].face if number in here else _carried(entries)
        seen = [(offset, entry.vector) for offset, entry in entries if entry.vector is not None]
        if seen:
            offsets, vectors = zip(*seen, strict=True)
            matrix = to_matrix(_line_at_zero(np.array(offsets), np.array(vectors)))
            face = replace(face, matrix=matrix)
        faces.append(face)
    known = tracked.known_tracks.union(numbers)
    return replace(tracked, faces=tuple(faces), known_tracks=known)


def _carried(entries: list[tuple[int, _Entry]]) -> TrackedFace:
    """The face of a frame in which its track has a gap: as in the last frame before."""
    earlier = [entry.face for offset, entry in entries if offset < 0]
    return replace(earlier[-1], found=False, restarted=False, check_due=False)


def _in_gaps(around: deque[Entries], place: int) -> list[int]:
    """Return the tracks that are there before and after a frame."""
    earlier = {number for index in range(place) for number in around[index]}
    later = {number for index in range(place + 1, len(around)) for number in around[index]}
    return sorted(earlier & later)


def _line_at_zero(offsets: NDArray[np.int_], vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fit a line to the vectors around a frame, near ones counting more; return its value at the frame."""
    values = vectors.copy()
    values[:, 3] = np.unwrap(values[:, 3], period=TURN)
    nearest = np.abs(offsets).min()
    weights = np.exp(-0.5 * ((np.abs(offsets) - nearest) / _SIGMA_FRAMES) ** 2)
    mean_offset = np.average(offsets, weights=weights)
    mean = np.average(values, axis=0, weights=weights)
    spread = np.average((offsets - mean_offset) ** 2, weights=weights)
    if spread < 1e-9:
        return mean
    if not offsets.min() <= 0 <= offsets.max():  # no extrapolation
        return values[np.abs(offsets).argmin()]
    slope = np.average((offsets - mean_offset)[:, None] * (values - mean), axis=0, weights=weights)
    return mean - slope / spread * mean_offset
