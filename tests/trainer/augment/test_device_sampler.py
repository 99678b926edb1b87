"""Batches drawn on the device: repeatable, distributed as the NumPy ones, exact without jitter."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from inpaint_model.errors import UserError
from realtime.synthetic import random_style, silhouette
from trainer.augment.batch_augment import (
    dilate,
    ellipse_kernels,
    recolour,
    shift_holes,
    unpack_masks,
    warp_flags,
    warp_grid,
    warp_pictures,
)
from trainer.augment.device_sampler import DeviceSampler, GeneratorTensors
from trainer.augment.generator_samples import GeneratorBatch, Jitter, draw_generator_batch
from trainer.augment.hole_bank import HoleBank, draw_packed_silhouettes
from trainer.data.face_set import FaceSet
from trainer.generator_task import to_tensor

_CPU = torch.device("cpu")
_STILL = Jitter(0, 0, 0, 0)


@pytest.fixture(scope="module")
def sampler(faces: FaceSet) -> DeviceSampler:
    return DeviceSampler(faces, _CPU, Jitter(), "masks", 7)


def _same(one: GeneratorTensors, two: GeneratorTensors) -> bool:
    pairs = ((one.real, two.real), (one.holes, two.holes), (one.valid_holes, two.valid_holes))
    return one.shift == two.shift and all(torch.equal(a, b) for a, b in pairs)


def _cut(faces: FaceSet) -> FaceSet:
    """The faces as if each photograph ended below row 90."""
    valid = np.ones_like(faces.valid)
    valid[:, 90:] = False
    return replace(faces, valid=valid)


def _numpy_batch(batch: GeneratorTensors) -> GeneratorBatch:
    """The same samples as `draw_generator_batch` returns them."""
    crops = ((batch.real + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    flags = [(part[:, 0] > 0).cpu().numpy() for part in (batch.holes, batch.valid_holes)]
    return GeneratorBatch(np.ascontiguousarray(crops), flags[0], flags[1], batch.shift)


def test_device_sampler_batch_has_its_shapes(sampler: DeviceSampler):
    batch = sampler.draw([0, 1, 2, 0], 3)
    assert batch.real.shape == (4, 3, 128, 128)
    assert batch.real.is_contiguous(memory_format=torch.channels_last)
    assert batch.holes.shape == batch.valid_holes.shape == (4, 1, 128, 128)
    assert {part.dtype for part in (batch.real, batch.holes, batch.valid_holes)} == {torch.float32}
    assert -1 <= float(batch.real.min()) < float(batch.real.max()) <= 1
    assert batch.holes.unique().tolist() == batch.valid_holes.unique().tolist() == [0, 1]


def test_device_sampler_step_fixes_the_batch(sampler: DeviceSampler, faces: FaceSet):
    first = sampler.draw([0, 1, 2, 3], 5)
    other = sampler.draw([0, 1, 2, 3], 6)
    assert not torch.equal(first.real, other.real)
    assert not torch.equal(first.holes, other.holes)
    assert _same(first, sampler.draw(torch.tensor([0, 1, 2, 3]), 5))
    assert _same(first, DeviceSampler(faces, _CPU, Jitter(), "masks", 7).draw([0, 1, 2, 3], 5))
    assert not _same(first, DeviceSampler(faces, _CPU, Jitter(), "masks", 8).draw([0, 1, 2, 3], 5))


def test_device_sampler_shift_takes_all_values(sampler: DeviceSampler):
    shifts = {sampler.draw([0], step).shift for step in range(100)}
    assert shifts == {(y, x) for y in range(4) for x in range(4)}


def test_device_sampler_draws_faces(faces: FaceSet):
    sampler = DeviceSampler(faces, _CPU, _STILL, "squares", 0)
    sources = torch.cat([to_tensor(faces.crops), to_tensor(faces.crops).flip(3)])
    sources = sources.flatten(1)[:, ::31]
    batch = sampler.draw(None, 0, batch=150)
    assert _same(batch, sampler.draw(None, 0, batch=150))
    drawn = batch.real.flatten(1)[:, ::31]
    seen = [int((sources == crop).all(1).nonzero()[0, 0]) for crop in drawn]
    assert {place % len(faces) for place in seen} == set(range(len(faces)))
    with pytest.raises(ValueError, match="batch"):
        sampler.draw(None, 0)


def test_device_sampler_without_jitter_keeps_crops(faces: FaceSet):
    sampler = DeviceSampler(faces, _CPU, _STILL, "masks", 0, per_face=2)
    indices = list(range(len(faces))) * 8
    source = to_tensor(faces.crops[indices])
    real = sampler.draw(indices, 0).real
    straight = (real == source).all(3).all(2).all(1)
    flipped = (real == source.flip(3)).all(3).all(2).all(1)
    assert (straight ^ flipped).all()
    assert abs(float(flipped.float().mean()) - 0.5) < 4 * 0.5 / len(indices) ** 0.5


def test_device_sampler_squares_are_uniform(faces: FaceSet):
    blind = replace(
        faces,
        landmarks=np.full_like(faces.landmarks, np.nan),
        valid=np.ones_like(faces.valid),
    )
    batch = DeviceSampler(blind, _CPU, _STILL, "squares", 0).draw(None, 0, batch=350)
    holes = batch.holes[:, 0] > 0
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


def test_device_sampler_masks_cover_mouth_like_numpy(faces: FaceSet):
    """Straight crops with a silhouette hole cover mouth and chin, and leave the eyes free."""
    sampler = DeviceSampler(faces, _CPU, _STILL, "masks", 0)
    at = np.rint(faces.landmarks[:, [13, 17, 33, 263]]).astype(int).clip(0, 127)
    indices = list(range(len(faces))) * 12
    drawn = draw_generator_batch(faces, indices, np.random.default_rng(0), _STILL)
    shares = []
    for batch in (_numpy_batch(sampler.draw(indices, 1)), drawn):
        hit = batch.valid_holes[
            np.arange(len(indices))[:, None], at[indices, :, 1], at[indices, :, 0]
        ]
        straight = np.abs(batch.crops.astype(np.int16) - faces.crops[indices]).mean((1, 2, 3)) < 2
        shares.append(hit[straight].mean(0))
    assert (shares[0][:2] > 0.7).all()
    assert (shares[0][2:] < 0.15).all()
    assert np.abs(shares[0] - shares[1]).max() < 0.1


def _figures(batch: GeneratorBatch) -> NDArray[np.float64]:
    """Statistics of each sample, [N, 11].

    Share of the hole and of its valid part, its mean row and column, its share squared; of the crop the
    mean of red, green and blue, the standard deviation, red against blue, horizontal steps.
    """
    crops = batch.crops[:, ::2].astype(np.float32)
    rows, columns = np.arange(128)[:, None], np.arange(128)
    area = np.maximum(batch.holes.sum((1, 2)), 1)
    return np.column_stack(
        [
            batch.holes.mean((1, 2)),
            batch.valid_holes.mean((1, 2)),
            (batch.holes * rows).sum((1, 2)) / area,
            (batch.holes * columns).sum((1, 2)) / area,
            batch.holes.mean((1, 2)) ** 2,
            crops.mean((1, 2)),
            crops.std((1, 2, 3)),
            np.abs(crops[..., 0] - crops[..., 2]).mean((1, 2)),
            np.abs(np.diff(crops, axis=2)).mean((1, 2, 3)),
        ]
    )


def test_device_sampler_statistics_equal_numpy(faces: FaceSet):
    """Means over many samples differ by no more than chance and half a level of rounding."""
    jitter = Jitter(rotation_deg=6, scale=0.08, shift_px=4, colour=0.6)
    faces = _cut(faces)
    indices = list(range(len(faces))) * 14
    sampler = DeviceSampler(faces, _CPU, jitter, "masks", 3, per_face=16)
    ours = _figures(_numpy_batch(sampler.draw(indices, 0)))
    theirs = _figures(draw_generator_batch(faces, indices, np.random.default_rng(3), jitter))
    error = np.sqrt((ours.var(0) + theirs.var(0)) / len(indices))
    slack = np.array([0.002, 0.002, 0.2, 0.2, 0.001, 0.7, 0.7, 0.7, 0.3, 0.2, 0.3])
    assert (np.abs(ours.mean(0) - theirs.mean(0)) < 4 * error + slack).all()


def test_device_sampler_ignores_pixels_outside_photograph(faces: FaceSet):
    sampler = DeviceSampler(_cut(faces), _CPU, _STILL, "masks", 0, per_face=2)
    batch = sampler.draw(None, 0, batch=200)
    assert not (batch.valid_holes > batch.holes).any()
    assert not batch.valid_holes[:, :, 90:].any()
    assert batch.valid_holes.any()
    assert batch.holes[:, :, 90:].all()


def test_warp_grid_equals_opencv(faces: FaceSet):
    """A turned, larger, shifted and mirrored crop equals `cv2.warpAffine` of the same matrix."""
    draw = torch.tensor([[1.0, 0.5, -1.0, 1.5]])
    jitter = Jitter(rotation_deg=10, scale=0.1, shift_px=6)
    grid = warp_grid(draw, torch.tensor([True]), jitter)
    size, angle = np.exp(0.05), np.deg2rad(10)
    cos, sin = size * np.cos(angle), size * np.sin(angle)
    linear = np.array([[-cos, -sin], [-sin, cos]])
    centre = np.array([63.5, 63.5])
    matrix = np.column_stack([linear, centre + np.array([-6, 9]) - linear @ centre])
    crop = faces.crops[0]
    want = cv2.warpAffine(crop, matrix, (128, 128), borderMode=cv2.BORDER_REPLICATE)
    picture = torch.from_numpy(crop).permute(2, 0, 1).float().unsqueeze(0)
    got = warp_pictures(picture, grid)[0].permute(1, 2, 0).numpy()
    assert np.abs(got - want).mean() < 1
    flags = np.zeros((128, 128), np.uint8)
    flags[70:128, 30:90] = 255
    want_flags = cv2.warpAffine(flags, matrix, (128, 128)) > 127
    got_flags = warp_flags(torch.from_numpy(flags > 0)[None, None], grid)[0, 0].numpy()
    assert (got_flags != want_flags).mean() < 0.002


def test_recolour_applies_grey_and_colour_cast(faces: FaceSet):
    pictures = torch.from_numpy(faces.crops[:2]).permute(0, 3, 1, 2).float()
    cast = torch.tensor([[0.0, 2, 0, -2, 0, 0]]).expand(2, -1)
    out = recolour(pictures.clone(), cast, torch.tensor([True, False]), 1.0)
    assert torch.allclose(out[0, 0], out[0, 1], atol=0.01)
    assert out[1, 0].mean() < pictures[1, 0].mean() - 5
    assert out[1, 2].mean() > pictures[1, 2].mean() + 5


def test_dilate_and_shift_equal_opencv_and_numpy(faces: FaceSet):
    rng = np.random.default_rng(2)
    masks = [silhouette(points, random_style(rng), (128, 128)) for points in faces.landmarks[:7]]
    flags = torch.from_numpy(np.stack(masks) > 0)
    wide = dilate(flags, ellipse_kernels(_CPU), torch.arange(7))
    down, right = torch.tensor([-4, 0, 3, 10, 0, 5, 9]), torch.tensor([10, 0, -10, 1, 2, -3, 7])
    pushed = shift_holes(flags, down, right, torch.arange(7) % 2 == 0)
    for radius, mask in enumerate(masks):
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)
        assert np.array_equal(wide[radius].numpy(), cv2.dilate(mask, kernel) > 0)
        moved = np.roll(mask > 0, (int(down[radius]), int(right[radius])), (0, 1))
        both = moved | (mask > 0) if radius % 2 == 0 else moved
        assert np.array_equal(pushed[radius].numpy(), both)


def test_hole_bank_is_equal_for_any_workers(faces: FaceSet):
    here = dict(HoleBank(faces.landmarks, 4, 2, workers=0).updated_columns(0))
    beside = HoleBank(faces.landmarks, 4, 2, workers=2)
    there = dict(beside.updated_columns(0))
    beside.close()
    assert here.keys() == there.keys() == {0, 1}
    assert all(np.array_equal(here[column], there[column]) for column in here)
    assert not np.array_equal(here[0], here[1])
    want = silhouette(
        faces.landmarks[3], random_style(np.random.default_rng([4, 0, 1, 3])), (128, 128)
    )
    assert np.array_equal(unpack_masks(torch.from_numpy(here[1]))[3].numpy(), want > 0)
    assert np.array_equal(draw_packed_silhouettes(faces.landmarks[3:4], 4, 0, 1, 3)[0], here[1][3])


def test_hole_bank_generation_redraws_one_column(faces: FaceSet):
    landmarks = faces.landmarks[:3]
    walked = HoleBank(landmarks, 0, 3, workers=0)
    held = dict(walked.updated_columns(0))
    for generation, column in ((1, 0), (2, 1), (3, 2), (4, 0)):
        updated_columns = dict(walked.updated_columns(generation))
        assert list(updated_columns) == [column]
        assert not np.array_equal(updated_columns[column], held[column])
        held |= updated_columns
    jumped = dict(HoleBank(landmarks, 0, 3, workers=0).updated_columns(4))
    assert all(np.array_equal(held[column], jumped[column]) for column in range(3))


def test_device_sampler_resumed_redraws_same_silhouettes(faces: FaceSet):
    def fresh() -> DeviceSampler:
        return DeviceSampler(
            faces, _CPU, Jitter(), "masks", 1, per_face=2, redraw_every=2, workers=1
        )

    indices = list(range(len(faces)))
    unbroken, resumed = fresh(), fresh()
    batches = [unbroken.draw(indices, step) for step in range(6)]
    assert _same(batches[5], resumed.draw(indices, 5))
    assert _same(batches[0], resumed.draw(indices, 0))
    fixed = DeviceSampler(faces, _CPU, Jitter(), "masks", 1, per_face=2).draw(indices, 5)
    assert torch.equal(fixed.real, batches[5].real)
    assert not torch.equal(fixed.holes, batches[5].holes)
    unbroken.close()
    resumed.close()


def test_device_sampler_refuses_bad_arguments(faces: FaceSet):
    with pytest.raises(UserError, match="squares, masks"):
        DeviceSampler(faces, _CPU, Jitter(), "circles", 0)
    with pytest.raises(UserError, match="no faces"):
        DeviceSampler(faces.select("none"), _CPU, Jitter(), "squares", 0)


_BLOCKED = ("mediapipe", "openvino", "onnxruntime", "av", "nncf")


def test_trainer_imports_without_product_libraries():
    """A training machine has torch, OpenCV and NumPy, but nothing of video, faces and engines."""
    code = f"""
import importlib.machinery, sys
class Without(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.split(".")[0] not in {_BLOCKED!r}:
            return super().find_spec(name, path, target)
sys.meta_path[sys.meta_path.index(importlib.machinery.PathFinder)] = Without
import trainer.fit, trainer.generator_task, trainer.data.face_set, trainer.presets
import trainer.augment.generator_samples, trainer.augment.device_sampler
import trainer.augment.hole_bank, trainer.commands.fit, trainer.evaluate.protocols
"""
    root = Path(__file__).parents[3]
    result = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


@pytest.mark.gpu
def test_device_sampler_on_gpu_equals_cpu(faces: FaceSet):
    if not torch.cuda.is_available():
        pytest.skip("no NVIDIA GPU")
    cuda, indices = torch.device("cuda"), list(range(len(faces))) * 20
    still = DeviceSampler(faces, cuda, _STILL, "masks", 0, per_face=2, redraw_every=0)
    batch, source = still.draw(indices, 0), to_tensor(faces.crops[indices]).cuda()
    straight = (batch.real == source).all(3).all(2).all(1)
    assert (straight | (batch.real == source.flip(3)).all(3).all(2).all(1)).all()
    jitter = Jitter(rotation_deg=6, scale=0.08, shift_px=4, colour=0.6)
    kept = [
        DeviceSampler(faces, device, jitter, "masks", 3, per_face=16, redraw_every=0)
        for device in (cuda, _CPU)
    ]
    first = kept[0].draw(indices, 5)
    assert _same(first, kept[0].draw(torch.tensor(indices, device=cuda), 5))
    assert _same(kept[0].draw(None, 5, batch=64), kept[0].draw(None, 5, batch=64))
    ours, theirs = (_figures(_numpy_batch(held.draw(indices, 5))) for held in kept)
    error = np.sqrt((ours.var(0) + theirs.var(0)) / len(indices))
    assert (np.abs(ours.mean(0) - theirs.mean(0)) < 4 * error + 1e-6).all()
    torch.cuda.set_sync_debug_mode("error")
    kept[0].draw(None, 6, batch=64)
    torch.cuda.set_sync_debug_mode("default")
    redrawn = DeviceSampler(faces, cuda, jitter, "masks", 3, per_face=2, redraw_every=2, workers=1)
    walked = [redrawn.draw(indices, step) for step in range(4)]
    assert _same(walked[3], redrawn.draw(indices, 3))
    redrawn.close()
