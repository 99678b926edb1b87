"""A ring of drawn views in the device's memory, which processes beside the training renew."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inpaint_model.errors import UserError
from trainer.augment.batch_augment import pack_views
from trainer.augment.sample_stream import SampleStream, default_workers
from trainer.augment.views import VIEW_RECORD, DrawnView, draw_view, records_of
from trainer.data.epoch_order import EpochOrder
from trainer.data.face_set import FaceSet
from trainer.device_batch import send

CHUNK = 16  # views that a process hands over at a time

DrawView = Callable[[FaceSet, int, np.random.Generator], DrawnView]
"""Draws a view of the face at an index; all views have one size."""

_MAX_VIEWS = 2**16
_MEMORY_SHARE = 0.25  # of the device's free memory
_VIEWS_ON_CPU = 2**10
_FIRST_VIEWS, _FIRST_VIEWS_A_FACE = 2**12, 4  # the bank is opened with so many


class ViewChunks:
    """Draws the views of a run in chunks: view `i` depends on the seed and `i` alone.

    Args:
        faces: the faces, shown in the order of `EpochOrder`.
        seed: the run's seed.
        draw: draws one; a function or object that can be pickled.

    Attributes:
        side_px: side of a view, pixels.
        chunk_bytes: size of a chunk.
    """

    def __init__(self, faces: FaceSet, seed: int, draw: DrawView = draw_view) -> None:
        self._faces, self._seed, self._draw = faces, seed, draw
        self._order = EpochOrder(len(faces), seed)
        self.side_px = len(draw(faces, 0, np.random.default_rng(0)).crop)
        self.chunk_bytes = CHUNK * 4 * self.side_px**2

    def __getitem__(self, n: int) -> tuple[Tensor, NDArray[np.void]]:
        """Draw views 16n to 16n + 15: uint8 [16, 4, S, S] of `pack_views`, and `VIEW_RECORD` [16]."""
        views = [
            self._draw(self._faces, face, np.random.default_rng([self._seed, 2, n, at]))
            for at, face in enumerate(self._order.take(n * CHUNK, CHUNK))
        ]
        return pack_views(views), records_of(views)


class ViewBank:
    """Views to draw batches from: new ones replace the oldest ones, step by step.

    A batch walks through the bank in a random order that is new in each pass, so that no view is left out.
    While the run has seen `p` crops, `p / reuse` views have been added to the first ones; thus each view
    is used `reuse` times on average, each time with another finish. With `wait` the content depends on
    seed, capacity and `p` alone: a resumed run draws the newest `capacity` views again before its first
    batch, and its batches equal those of an unbroken run. Without `wait` a step takes the views that are
    ready, at most as many as its batch has crops, and a resumed run begins with new first views.

    Args:
        faces: the faces, with their margin.
        device: where the ring lies.
        seed: fixes the views and their order.
        draw: draws a view; see `ViewChunks`.
        capacity: number of views, a multiple of 16; None: the largest power of two up to 65,536 that
            takes at most a quarter of the device's free memory, and 1,024 on the CPU.
        reuse: how often a view is used on average, at least 1.
        workers: number of processes that draw views; None: one a core; 0 draws in this one.
        wait: wait for views that are not drawn yet. Without processes there is nothing to wait for.

    Raises:
        UserError: the device has too little free memory.
    """

    def __init__(
        self,
        faces: FaceSet,
        device: torch.device,
        seed: int,
        *,
        draw: DrawView = draw_view,
        capacity: int | None = None,
        reuse: float = 2.0,
        workers: int | None = None,
        wait: bool = True,
    ) -> None:
        self._source = ViewChunks(faces, seed, draw)
        if capacity is None:
            capacity = _affordable_views(device, self._source.chunk_bytes // CHUNK)
        if capacity < CHUNK or capacity % CHUNK or reuse < 1:
            raise ValueError("the capacity must be a multiple of 16, and the reuse at least 1")
        self._device, self._seed = device, seed
        self._workers = default_workers() if workers is None else workers
        self._wait, self._reuse = wait or not self._workers, reuse
        self._room = capacity // CHUNK  # in chunks, as all counts below
        first = min(_FIRST_VIEWS, _FIRST_VIEWS_A_FACE * len(faces), capacity)
        self._first = -(-first // CHUNK)
        side = self._source.side_px
        self._views = torch.empty((capacity, 4, side, side), dtype=torch.uint8, device=device)
        self._records = np.zeros(capacity, VIEW_RECORD)
        self._stream: SampleStream | None = None
        self._seen = 0  # crops drawn from the bank in the whole run
        self._base = self._end = self._began = 0

    def take(self, first: int, count: int) -> tuple[Tensor, NDArray[np.void]]:
        """Draw the views of a batch.

        Args:
            first: number of crops of the run before this batch.
            count: B.

        Returns:
            uint8 [B, 4, S, S] of `pack_views` on the device, and `VIEW_RECORD` [B].
        """
        if self._stream is None or first != self._seen:
            self._start(first)
        self._renew(first, count)
        slots = self._next_slots(first, count)
        self._seen = first + count
        return self._views[send(slots, self._device)], self._records[slots]

    @property
    def reuse(self) -> float:
        """How often the views drawn since the start were used so far, on average."""
        return (self._seen - self._began) / max(1, CHUNK * (self._end - self._base))

    def close(self) -> None:
        """End the processes."""
        if self._stream is not None:
            self._stream.close()
        self._stream = None

    def _planned(self, seen: int) -> int:
        """Number of chunks added to the ring while the run sees so many crops."""
        return self._first + int(seen / (self._reuse * CHUNK))

    def _start(self, seen: int) -> None:
        """Begin after so many crops, with an empty ring."""
        self.close()
        planned = self._planned(seen)
        self._base = self._end = max(0, planned - (self._room if self._wait else self._first))
        self._began = seen
        self._stream = SampleStream(
            self._source, self._base, self._workers, pinned=self._device.type == "cuda"
        )
        while self._end < planned:
            self._add(self._stream.take())
        self._pass, self._pass_begin, self._order = -1, 0, np.empty(0, np.int64)
        if not self._wait:
            self._pass_begin = seen

    def _renew(self, seen: int, count: int) -> None:
        """Replace the oldest views by new ones."""
        assert self._stream is not None
        if self._wait:
            while self._end < self._planned(seen + count):
                self._add(self._stream.take())
            return
        for _ in range(-(-count // CHUNK)):
            chunk = self._stream.take_ready()
            if chunk is None:
                return
            self._add(chunk)

    def _add(self, chunk: tuple[Tensor, NDArray[np.void]]) -> None:
        # With `wait` the place of a chunk depends on its number alone; the ring fills from its begin.
        at = (self._end if self._wait else self._end - self._base) % self._room * CHUNK
        self._views[at : at + CHUNK].copy_(chunk[0], non_blocking=True)
        self._records[at : at + CHUNK] = chunk[1]
        self._end += 1

    def _next_slots(self, first: int, count: int) -> NDArray[np.int64]:
        """Places of a batch's views in the ring: the next ones of a pass, int64 [count]."""
        slots = np.empty(0, np.int64)
        while len(slots) < count:
            at = first + len(slots)
            while at >= self._pass_begin + len(self._order):
                self._begin_pass()
            part = self._order[at - self._pass_begin :][: count - len(slots)]
            slots = np.concatenate([slots, part])
        return slots

    def _begin_pass(self) -> None:
        """Begin the next pass, over all views that are there."""
        self._pass_begin += len(self._order)
        self._pass += 1
        added = self._planned(self._pass_begin) if self._wait else self._end - self._base
        views = min(added, self._room) * CHUNK
        rng = np.random.default_rng([self._seed, 3, self._pass, self._pass_begin])
        self._order = rng.permutation(views)


def _affordable_views(device: torch.device, size: int) -> int:
    """Number of views of so many bytes that a device takes; a power of two."""
    if device.type != "cuda":
        return _VIEWS_ON_CPU
    free = torch.cuda.mem_get_info(device)[0]
    views = int(free * _MEMORY_SHARE) // size
    if views < 2 * CHUNK:
        raise UserError(
            f"the GPU has {free / 2**20:.0f} MiB of free memory: too little for drawn views"
        )
    return min(_MAX_VIEWS, 2 ** (views.bit_length() - 1))
