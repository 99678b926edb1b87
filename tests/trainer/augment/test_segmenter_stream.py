"""The stream of the segmenter's samples: its place alone decides on a sample."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch

from trainer.augment import segmenter_stream
from trainer.augment.finish import Jitter
from trainer.augment.sample_stream import SampleStream
from trainer.augment.segmenter_samples import MaskSources
from trainer.augment.segmenter_stream import SegmenterChunks, SegmenterStream
from trainer.data.face_set import FaceSet
from trainer.precision import one_cpu
from trainer.presets import PRESETS
from trainer.segmenter_task import SegmenterTask


def _chunks(faces: FaceSet) -> SegmenterChunks:
    return SegmenterChunks(faces, 3, Jitter(), MaskSources(), 0.3)


def test_segmenter_stream_resumed_equals_unbroken(faces: FaceSet):
    unbroken = SegmenterStream(_chunks(faces), workers=0)
    batches = [unbroken.take(first, 12) for first in (0, 12, 24)]
    assert all(batch.crops.shape == (12, 128, 128, 3) for batch in batches)
    whole = SegmenterStream(_chunks(faces), workers=0).take(0, 36)
    for name, part in vars(whole).items():
        joined = np.concatenate([getattr(batch, name) for batch in batches])
        assert np.array_equal(joined, part) and part.any()
    resumed = SegmenterStream(_chunks(faces), workers=0).take(24, 12)
    assert np.array_equal(resumed.crops, batches[2].crops)


def test_segmenter_chunks_are_equal_in_other_processes(faces: FaceSet):
    chunks = _chunks(faces)
    copied = pickle.loads(pickle.dumps(chunks))
    assert all(torch.equal(a, b) for a, b in zip(chunks[5], copied[5], strict=True))
    assert sum(part.numel() for part in chunks[5]) == chunks.chunk_bytes


def test_segmenter_task_with_workers_draws_from_stream(
    faces: FaceSet, monkeypatch: pytest.MonkeyPatch
):
    asked = []

    def here(chunks: SegmenterChunks, first: int, workers: int, *, pinned: bool) -> SampleStream:
        asked.append((first, workers))
        return SampleStream(chunks, first, 0, pinned=pinned)

    monkeypatch.setattr(segmenter_stream, "SampleStream", here)
    config, fabric = PRESETS["segmenter"], one_cpu()
    task = SegmenterTask(config, faces, faces, workers=2)
    task.setup(fabric, torch.optim.SGD(task.net.parameters()), compiled=False)
    stage, rng = config.stages[0], np.random.default_rng(0)
    batches = [task.draw(stage, step, [0] * 4, rng) for step in (0, 1)]
    assert asked == [(0, 2)]
    want = SegmenterStream(
        SegmenterChunks(faces, config.seed, config.jitter, None, config.bare_share), workers=0
    ).take(4, 4)
    assert np.array_equal(batches[1].crops, want.crops)
