"""Draws the mask silhouettes that holes are made of ahead of time, in processes beside the training."""

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

_CHUNK = 128  # faces a job: some 0.1 s of work against 0.5 MB of landmarks sent
_ENTRIES = 2**17  # silhouettes a bank aims at: 256 MiB, two and a half minutes of one core
_ENTRIES_A_PROCESS = 1000  # fewer are drawn sooner than a process starts


def columns_for(faces: int) -> int:
    """Return how many silhouettes a face to keep: 2..16, the fewer the more faces there are."""
    return max(2, min(16, _ENTRIES // max(1, faces)))


def draw_packed(
    landmarks: NDArray[np.float32], seed: int, version: int, column: int, first: int
) -> NDArray[np.uint8]:
    """Draw one silhouette of a random worn mask for each face.

    An entry depends on the seed, the version, the column and the face's number alone, whoever
    draws it and in which order.

    Args:
        landmarks: float32 [n, 478, 2], crop pixels.
        seed: the run's.
        version: how often the column was redrawn.
        column: which of a face's silhouettes.
        first: number of the first of these faces in the whole set.

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
    """Several silhouettes for every face, one column of them redrawn a generation.

    What the bank holds is a function of the seed and the generation's number: generation 0 is
    every column's version 0; each later one redraws the next column in turn.

    Args:
        landmarks: float32 [N, 478, 2], crop pixels.
        seed: the run's.
        columns: silhouettes a face.
        workers: processes; 0 draws in this one; None takes as many as there are cores and the
            number of entries is worth.
    """

    def __init__(
        self, landmarks: NDArray[np.float32], seed: int, columns: int, workers: int | None = None
    ) -> None:
        self._landmarks, self._seed, self._columns = landmarks, seed, columns
        if workers is None:
            workers = min(_cores(), len(landmarks) * columns // _ENTRIES_A_PROCESS)
        self._pool = _start_pool(workers) if workers else None
        self._held: dict[int, int] = {}
        self._ahead: dict[tuple[int, int], list[Callable[[], NDArray[np.uint8]]]] = {}

    def changed(self, generation: int) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """Yield number and content, uint8 [N, 2048], of the columns not yet yielded as they are now.

        All columns are so the first time, one from a generation to its next, several after a jump.
        """
        wanted = self._wanted(generation)
        jobs = {key: self._ahead.pop(key, None) or self._start(*key) for key in wanted}
        many = len(wanted) * len(self._landmarks) > 4 * _ENTRIES_A_PROCESS and len(wanted) > 1
        for column, version in track(wanted, "mask silhouettes", disable=not many):
            parts = jobs.pop((column, version))
            yield column, np.concatenate([part() for part in parts])
            self._held[column] = version

    def prepare(self, generation: int) -> None:
        """Begin to draw what `changed(generation)` will ask for; without processes do nothing."""
        if self._pool is not None:
            self._ahead = {key: self._start(*key) for key in self._wanted(generation)}

    def close(self) -> None:
        """End the processes; what is still asked for is drawn in this one."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool, self._ahead = None, {}

    def _wanted(self, generation: int) -> list[tuple[int, int]]:
        """Columns and their versions that differ from what was yielded last."""
        versions = (
            (column, (generation + self._columns - 1 - column) // self._columns)
            for column in range(self._columns)
        )
        return [
            (column, version) for column, version in versions if self._held.get(column) != version
        ]

    def _start(self, column: int, version: int) -> list[Callable[[], NDArray[np.uint8]]]:
        """Hand a column's jobs to the processes, or leave them to be done when asked for."""
        parts = []
        for first in range(0, len(self._landmarks), _CHUNK):
            work = partial(
                draw_packed,
                self._landmarks[first : first + _CHUNK],
                self._seed,
                version,
                column,
                first,
            )
            parts.append(self._pool.submit(work).result if self._pool else work)
        return parts


def _cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _start_pool(workers: int) -> ProcessPoolExecutor:
    """Fresh processes (a fork would inherit CUDA and its threads) that yield to the training."""
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_begin_worker)


def _begin_worker() -> None:
    cv2.setNumThreads(1)
    if hasattr(os, "nice"):
        os.nice(10)
