"""Smooths the tracks of recorded video with frames from both sides, and fills gaps in them.

The transform of a track in a frame is the value of a straight line that is fitted to the transforms of the
frames around it (local linear regression). The line has no lag and passes through frames in which the face
was missed.
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
_SIGMA_FRAMES = 2.2  # standard deviation of the Gaussian weights: near frames count more


@dataclass(frozen=True)
class _Entry:
    """A track in one frame; the vector of its transform is None where the face was missed."""

    face: TrackedFace
    vector: NDArray[np.float64] | None


Entries = dict[int, _Entry]
"""The tracks of one frame, by track id."""


def smooth_tracks(
    items: Iterable[tuple[T, TrackedFrame]], window: int = WINDOW
) -> Iterator[tuple[T, TrackedFrame]]:
    """Yield the same items in the same order, `window` later, with smoothed transforms.

    Args:
        items: anything that belongs to a frame, and the frame with its faces, not smoothed yet.
        window: how many frames on each side are looked at.
    """
    return windowed(items, _entries_of, _smoothed, window)


def _entries_of(tracked: TrackedFrame) -> Entries:
    return {
        face.track_id: _Entry(face, to_vector(face.matrix) if face.found else None)
        for face in tracked.faces
    }


def _smoothed(tracked: TrackedFrame, around: deque[Entries], place: int) -> TrackedFrame:
    here = around[place]
    track_ids = [*here, *(t for t in _tracks_on_both_sides(around, place) if t not in here)]
    faces = []
    for track_id in track_ids:
        entries = [
            (index - place, tracks[track_id])
            for index, tracks in enumerate(around)
            if track_id in tracks
        ]
        face = here[track_id].face if track_id in here else _last_before(entries)
        seen = [(offset, entry.vector) for offset, entry in entries if entry.vector is not None]
        if seen:
            offsets, vectors = zip(*seen, strict=True)
            matrix = to_matrix(_line_at_zero(np.array(offsets), np.array(vectors)))
            face = replace(face, matrix=matrix)
        faces.append(face)
    known = tracked.known_tracks.union(track_ids)
    return replace(tracked, faces=tuple(faces), known_tracks=known)


def _last_before(entries: list[tuple[int, _Entry]]) -> TrackedFace:
    """Return the face as it was in the last frame before a gap in its track."""
    earlier = [entry.face for offset, entry in entries if offset < 0]
    return replace(earlier[-1], found=False, restarted=False, check_due=False)


def _tracks_on_both_sides(around: deque[Entries], place: int) -> list[int]:
    """Return the ids of the tracks that are there both before and after a frame."""
    earlier = {track_id for index in range(place) for track_id in around[index]}
    later = {track_id for index in range(place + 1, len(around)) for track_id in around[index]}
    return sorted(earlier & later)


def _line_at_zero(offsets: NDArray[np.int_], vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fit a line to the vectors of the frames around one, weighted; return its value at offset 0."""
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
