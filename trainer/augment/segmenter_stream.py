"""Draws the segmenter's batches ahead in processes beside the training."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from realtime.align.canonical_crop import CROP_SIZE
from trainer.augment.finish import Jitter
from trainer.augment.sample_stream import SampleStream, default_workers
from trainer.augment.segmenter_samples import MaskSources, SegmenterBatch, draw_segmenter_batch
from trainer.data.epoch_order import EpochOrder
from trainer.data.face_set import FaceSet

_CHUNK = 16  # samples that a process hands over at a time


class SegmenterChunks:
    """Draws the samples of a run in chunks: chunk `n` depends on the seed and `n` alone.

    Args:
        faces: the faces, shown in the order of `EpochOrder`.
        seed: the run's seed.
        jitter, sources, bare_share: as for `draw_segmenter_batch`.
    """

    chunk_bytes = _CHUNK * CROP_SIZE**2 * (3 + 1 + 1)

    def __init__(
        self,
        faces: FaceSet,
        seed: int,
        jitter: Jitter,
        sources: MaskSources | None,
        bare_share: float,
    ) -> None:
        self._faces, self._seed, self._options = faces, seed, (jitter, sources, bare_share)
        self._order = EpochOrder(len(faces), seed)

    def __getitem__(self, n: int) -> tuple[Tensor, Tensor, Tensor]:
        """Draw samples 16n to 16n + 15: the parts of a `SegmenterBatch` as tensors."""
        rng = np.random.default_rng([self._seed, 2, n])
        indices = self._order.take(n * _CHUNK, _CHUNK)
        batch = draw_segmenter_batch(self._faces, indices, rng, *self._options)
        crops, masks, valid = (torch.from_numpy(part) for part in vars(batch).values())
        return crops, masks, valid


class SegmenterStream:
    """The samples of a run, drawn by processes with `draw_segmenter_batch`.

    Sample `i` depends on the seed and `i` alone, so that a resumed run sees the same batches.

    Args:
        chunks: draws the samples.
        workers: number of processes; None: one a core; 0 draws in this one.
    """

    def __init__(self, chunks: SegmenterChunks, workers: int | None = None) -> None:
        self._chunks = chunks
        self._workers = default_workers() if workers is None else workers
        self._stream: SampleStream[tuple[Tensor, ...]] | None = None
        self._seen = -1
        self._left: tuple[Tensor, ...] = ()

    def take(self, first: int, count: int) -> SegmenterBatch:
        """Return the samples `first` to `first + count` of the whole run."""
        if first != self._seen or self._stream is None:
            self.close()
            self._stream = SampleStream(self._chunks, first // _CHUNK, self._workers, pinned=False)
            self._left = tuple(part[first % _CHUNK :] for part in self._stream.take())
        self._seen = first + count
        while len(self._left[0]) < count:
            pairs = zip(self._left, self._stream.take(), strict=True)
            self._left = tuple(torch.cat(pair) for pair in pairs)
        taken = (part[:count].numpy() for part in self._left)
        self._left = tuple(part[count:] for part in self._left)
        return SegmenterBatch(*taken)

    def close(self) -> None:
        """End the processes."""
        if self._stream is not None:
            self._stream.close()
        self._stream = None
