"""Prefetches mask silhouettes for holes: processes beside the training draw them ahead of time."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from realtime.align.canonical_crop import CROP_SIZE
from realtime.synthetic import random_style, silhouette

PACKED_BYTES = CROP_SIZE * CROP_SIZE // 8

_CHUNK = 128  # faces a job: about 0.1 s of work for 0.5 MB of landmarks sent
_ENTRIES = 2**17  # silhouettes in a bank: 256 MiB, two and a half minutes of one core
_ENTRIES_A_PROCESS = 1000  # drawing fewer takes less time than starting a process


def silhouettes_per_face(faces: int) -> int:
    """Return the number of silhouettes to keep for each face, 2..16; fewer for more faces."""
    return max(2, min(16, _ENTRIES // max(1, faces)))


def draw_packed_silhouettes(
    landmarks: NDArray[np.float32], seed: int, version: int, column: int, first: int
) -> NDArray[np.uint8]:
    """Draw one silhouette of a random worn mask for each face.

    An entry depends only on seed, version, column and the face's index, not on the process or the order.

    Args:
        landmarks: float32 [n, 478, 2], crop pixels.
        seed: the run's seed.
        version: number of times the column was redrawn.
        column: index of the silhouette among those of a face.
        first: index of the first of these faces in the whole set.

    Returns:
        uint8 [n, 2048]: 128 x 128 flags, row by row, the first pixel in the highest bit.
    """
    packed = np.empty((len(landmarks), PACKED_BYTES), dtype=np.uint8)
    for index, points in enumerate(landmarks):
        rng = np.random.default_rng([seed, version, column, first + index])
        alpha = silhouette(points, random_style(rng), (CROP_SIZE, CROP_SIZE))
        packed[index] = np.packbits(alpha.reshape(-1) > 0)
    return packed


class HoleBank:
    """Several silhouettes for every face; each generation redraws one column of them.

    The content depends only on the seed and the generation's number. Generation 0 is version 0 of every
    column; each later generation redraws the next column in turn.

    Args:
        landmarks: float32 [N, 478, 2], crop pixels.
        seed: the run's seed.
        columns: number of silhouettes for each face.
        workers: number of processes; 0 draws in this one; None takes one a core, but fewer for few entries.
    """

    def __init__(
        self, landmarks: NDArray[np.float32], seed: int, columns: int, workers: int | None = None
    ) -> None:
        self._landmarks, self._seed, self._columns = landmarks, seed, columns
        if workers is None:
            workers = min(_cores(), len(landmarks) * columns // _ENTRIES_A_PROCESS)
        self._pool = _start_pool(workers) if workers else None
        self._versions: dict[int, int] = {}
        self._prefetched: dict[tuple[int, int], list[Callable[[], NDArray[np.uint8]]]] = {}

    def updated_columns(self, generation: int) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """Yield index and content, uint8 [N, 2048], of the columns that changed since the last call.

        The first call yields all columns; the next generation has one changed column.
        """
        wanted = self._stale_columns(generation)
        jobs = {key: self._prefetched.pop(key, None) or self._start(*key) for key in wanted}
        many = len(wanted) * len(self._landmarks) > 4 * _ENTRIES_A_PROCESS and len(wanted) > 1
        for column, version in track(wanted, "mask silhouettes", disable=not many):
            parts = jobs.pop((column, version))
            yield column, np.concatenate([part() for part in parts])
            self._versions[column] = version

    def prefetch(self, generation: int) -> None:
        """Start drawing what `updated_columns(generation)` will ask for; needs processes."""
        if self._pool is not None:
            self._prefetched = {key: self._start(*key) for key in self._stale_columns(generation)}

    def close(self) -> None:
        """End the processes; later calls draw in this one."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool, self._prefetched = None, {}

    def _stale_columns(self, generation: int) -> list[tuple[int, int]]:
        """Columns, with their versions, that differ from those yielded last."""
        versions = (
            (column, (generation + self._columns - 1 - column) // self._columns)
            for column in range(self._columns)
        )
        return [
            (column, version)
            for column, version in versions
            if self._versions.get(column) != version
        ]

    def _start(self, column: int, version: int) -> list[Callable[[], NDArray[np.uint8]]]:
        """Submit a column's jobs to the processes, or return functions that do them when called."""
        parts = []
        for first in range(0, len(self._landmarks), _CHUNK):
            work = partial(
                draw_packed_silhouettes,
                self._landmarks[first : first + _CHUNK],
                self._seed,
                version,
                column,
                first,
            )
            parts.append(self._pool.submit(work).result if self._pool else work)
        return parts


def _cores() -> int:
    """Number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _start_pool(workers: int) -> ProcessPoolExecutor:
    """Start processes of low priority; spawned, as a fork would inherit CUDA and its threads."""
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_begin_worker)


def _begin_worker() -> None:
    cv2.setNumThreads(1)
    if hasattr(os, "nice"):
        os.nice(10)
