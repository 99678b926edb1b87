"""Smooths tracks with frames from both sides, and fills their gaps: files can be better than live.

Each track's place at a frame is a local straight line through where it was found in the frames around:
no lag, and a frame in which the face was missed lies on the line. The window is short, so that memory
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
from realtime.unmasker import Seen, Sight
from realtime.video.window import windowed

T = TypeVar("T")
WINDOW = 6
_SIGMA_FRAMES = 2.2


@dataclass(frozen=True)
class _Found:
    """Where a track was in one frame; `vector` is None where it was only kept through a miss."""

    sight: Sight
    vector: NDArray[np.float64] | None


def look_ahead(
    items: Iterable[tuple[T, Seen | None]], window: int = WINDOW
) -> Iterator[tuple[T, Seen | None]]:
    """Yield the same items in the same order, `window` later, their sights smoothed.

    Args:
        items: what travels along, and what was seen in the frame.
        window: so many frames on each side count.
    """
    before: dict[int, Sight] = {}

    def note(pair: tuple[T, Seen | None]) -> dict[int, _Found]:
        nonlocal before
        found = _found(pair[1], before)
        before = {track: entry.sight for track, entry in found.items()}
        return found

    for pair, around, place in windowed(items, note, window):
        yield _smoothed(pair, around, place)


def _found(seen: Seen | None, before: dict[int, Sight]) -> dict[int, _Found]:
    """Note the sights of a frame; a face that is the same object as before was not found again."""
    entries: dict[int, _Found] = {}
    for sight in seen.sights if seen is not None else ():
        track = sight.track.track_id
        last = before.get(track)
        missed = last is not None and last.face is sight.face
        entries[track] = _Found(sight, None if missed else to_vector(sight.face.matrix))
    return entries


def _smoothed(
    pair: tuple[T, Seen | None], around: deque[dict[int, _Found]], place: int
) -> tuple[T, Seen | None]:
    item, seen = pair
    if seen is None:
        return pair
    sights = []
    tracks = list(around[place])
    tracks += [track for track in _gaps(around, place) if track not in around[place]]
    for track in tracks:
        offsets, vectors, nearest = [], [], None
        for index, found in enumerate(around):
            entry = found.get(track)
            if entry is None:
                continue
            if nearest is None or index <= place:
                nearest = entry.sight
            if entry.vector is not None:
                offsets.append(index - place)
                vectors.append(entry.vector)
        sight = around[place][track].sight if track in around[place] else nearest
        if sight is None:
            continue
        if vectors:
            sight = replace(sight, matrix=to_matrix(_line_at_zero(np.array(offsets), vectors)))
        sights.append(sight)
    return item, replace(seen, sights=sights)


def _gaps(around: deque[dict[int, _Found]], place: int) -> list[int]:
    """Return the tracks that are there before and after a frame."""
    earlier = {track for index in range(place) for track in around[index]}
    later = {track for index in range(place + 1, len(around)) for track in around[index]}
    return sorted(earlier & later)


def _line_at_zero(
    offsets: NDArray[np.int_], vectors: list[NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Fit a line to what lies around, near frames counting more; return its value here."""
    values = np.array(vectors)
    values[:, 3] = np.unwrap(values[:, 3], period=TURN)
    nearest = np.abs(offsets).min()
    weights = np.exp(-0.5 * ((np.abs(offsets) - nearest) / _SIGMA_FRAMES) ** 2)
    mean_offset = np.average(offsets, weights=weights)
    mean = np.average(values, axis=0, weights=weights)
    spread = np.average((offsets - mean_offset) ** 2, weights=weights)
    if spread < 1e-9 or not offsets.min() <= 0 <= offsets.max():
        return (
            mean if spread < 1e-9 else values[np.abs(offsets).argmin()]
        )  # no guess beyond the ends
    slope = np.average((offsets - mean_offset)[:, None] * (values - mean), axis=0, weights=weights)
    return mean - slope / spread * mean_offset
