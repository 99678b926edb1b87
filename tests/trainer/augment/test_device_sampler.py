"""Batches drawn on the device: repeatable, exact without jitter, and on a GPU without waiting for it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from inpaint_model.errors import UserError
from inpaint_model.holes import BESIDE_FACE
from trainer.augment.device_sampler import DeviceSampler, GeneratorTensors
from trainer.augment.finish import Jitter
from trainer.config import Stage
from trainer.data.face_set import FaceSet
from trainer.evaluate.fill_crops import to_tensor
from trainer.generator_task import GeneratorTask
from trainer.presets import PRESETS

_CPU = torch.device("cpu")
_STILL = Jitter(0, 0, 0, 0)


@pytest.fixture(scope="module")
def sampler(wide_faces: FaceSet) -> DeviceSampler:
    return DeviceSampler(wide_faces, _CPU, Jitter(), "masks", 7, capacity=32, workers=0)


def _draw(sampler: DeviceSampler, count: int, first: int = 0, seed: int = 0) -> GeneratorTensors:
    """Draw a batch; squares show the first faces."""
    return sampler.draw(list(range(count)), first, np.random.default_rng(seed))


def _same(one: GeneratorTensors, two: GeneratorTensors) -> bool:
    names = ("real", "holes", "valid_holes", "rotated")
    pairs = ((getattr(one, name), getattr(two, name)) for name in names)
    return one.shift == two.shift and all(torch.equal(a, b) for a, b in pairs)


def test_device_sampler_batch_has_its_shapes(sampler: DeviceSampler):
    batch = _draw(sampler, 8)
    assert batch.real.shape == (8, 3, 128, 128)
    assert batch.real.is_contiguous(memory_format=torch.channels_last)
    assert batch.holes.shape == batch.valid_holes.shape == (8, 1, 128, 128)
    assert {part.dtype for part in (batch.real, batch.holes, batch.valid_holes)} == {torch.float32}
    assert -1 <= float(batch.real.min()) < float(batch.real.max()) <= 1
    assert batch.holes.unique().tolist() == [0, 1, BESIDE_FACE]
    assert batch.valid_holes.unique().tolist() == [0, 1]
    assert not (batch.valid_holes > batch.holes).any()
    assert batch.rotated.dtype == torch.bool and 0 < int(batch.rotated.sum()) < 8


def test_device_sampler_generator_fixes_the_finish(sampler: DeviceSampler):
    first = _draw(sampler, 4, seed=1)
    assert _same(first, _draw(sampler, 4, seed=1))
    other = _draw(sampler, 4, seed=2)
    assert torch.equal(first.rotated, other.rotated)
    assert not torch.equal(first.real, other.real)


def test_device_sampler_squares_keep_crops(faces: FaceSet):
    """Without jitter the crops of the named faces are shown, exactly, half of them mirrored."""
    sampler = DeviceSampler(faces, _CPU, _STILL, "squares", 0)
    indices = list(range(len(faces))) * 8
    batch = sampler.draw(indices, 0, np.random.default_rng(0))
    source = to_tensor(faces.crops[indices])
    straight = (batch.real == source).all(3).all(2).all(1)
    mirrored = (batch.real == source.flip(3)).all(3).all(2).all(1)
    assert (straight ^ mirrored).all()
    assert abs(float(mirrored.float().mean()) - 0.5) < 4 * 0.5 / len(indices) ** 0.5
    assert not batch.rotated.any()


def test_device_sampler_squares_are_uniform(faces: FaceSet):
    blind = replace(
        faces,
        landmarks=np.full_like(faces.landmarks, np.nan),
        valid=np.ones_like(faces.valid),
    )
    sampler = DeviceSampler(blind, _CPU, _STILL, "squares", 0)
    holes = sampler.draw([0] * 350, 0, np.random.default_rng(0)).holes[:, 0] > 0
    height, width = holes.any(2).sum(1), holes.any(1).sum(1)
    assert torch.equal(height, width)
    assert torch.equal(holes.sum((1, 2)), height * width)
    assert sorted(set(height.tolist())) == list(range(24, 49))
    top, left = holes.any(2).int().argmax(1), holes.any(1).int().argmax(1)
    for first in (top, left):
        assert first.min() == 0
        assert (first + height).max() == 128
    area = np.arange(24, 49.0) ** 2 / 2**14
    assert abs(float(holes.float().mean()) - area.mean()) < 4 * area.std() / len(holes) ** 0.5


def test_device_sampler_ignores_pixels_outside_photograph(faces: FaceSet):
    valid = np.ones_like(faces.valid)
    valid[:, 90:] = False
    cut = replace(faces, valid=valid)
    batch = _draw(DeviceSampler(cut, _CPU, _STILL, "masks", 0, capacity=64, workers=0), 64)
    assert not batch.valid_holes[:, :, 90:].any()
    assert batch.valid_holes.any()
    assert batch.holes[:, :, 90:].all()


def test_generator_task_resumed_draws_same_batch(faces: FaceSet):
    config = replace(PRESETS["fast"], stages=(Stage(steps=3, batch=4), Stage(steps=9, batch=8)))

    def task() -> GeneratorTask:
        made = GeneratorTask(config, faces, faces, None)
        made._sampler = DeviceSampler(
            faces, _CPU, config.jitter, "masks", 0, capacity=32, workers=0
        )
        return made

    def draw(made: GeneratorTask, step: int) -> GeneratorTensors:
        stage, _ = config.stage_at(step)
        return made.draw(stage, step, [0] * stage.batch, np.random.default_rng([1, step]))

    unbroken = task()
    batches = [draw(unbroken, step) for step in range(8)]
    assert _same(draw(task(), 7), batches[7])
    assert not _same(draw(task(), 6), batches[7])


def test_device_sampler_refuses_bad_arguments(faces: FaceSet):
    with pytest.raises(UserError, match="squares, masks"):
        DeviceSampler(faces, _CPU, Jitter(), "circles", 0)
    with pytest.raises(UserError, match="no faces"):
        DeviceSampler(faces.select("none"), _CPU, Jitter(), "squares", 0)


@pytest.mark.gpu
@pytest.mark.parametrize("holes", ["masks", "squares"])
def test_device_sampler_on_gpu_equals_cpu(wide_faces: FaceSet, holes: str):
    """The GPU's batches equal those of the CPU, and drawing them never waits for the GPU."""
    if not torch.cuda.is_available():
        pytest.skip("no NVIDIA GPU")
    ours, theirs = (
        DeviceSampler(wide_faces, device, Jitter(colour=0.6), holes, 3, capacity=64, workers=count)
        for device, count in ((torch.device("cuda"), 2), (_CPU, 0))
    )
    for step in range(8):
        if step:  # the first batch waits for its memory
            torch.cuda.set_sync_debug_mode("error")
        try:
            one = _draw(ours, 16, 16 * step, step)
        finally:
            torch.cuda.set_sync_debug_mode("default")
        two = _draw(theirs, 16, 16 * step, step)
        assert one.real.is_contiguous(memory_format=torch.channels_last)
        away = ((one.real.cpu() - two.real) * 127.5).abs()
        assert away.mean() < 0.02 and away.max() < 5
        for name in ("holes", "valid_holes"):
            assert (getattr(one, name).cpu() != getattr(two, name)).float().mean() < 1e-4
        assert torch.equal(one.rotated.cpu(), two.rotated) and one.shift == two.shift
    ours.close()
