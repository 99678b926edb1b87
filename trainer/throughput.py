"""Measures training: crops a second of a preset, share of the matrix peak, and what a step is spent on."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import numpy as np
import torch
from lightning.fabric import Fabric
from torch import Tensor

from realtime.align.affine import apply
from realtime.align.canonical_crop import CROP_SIZE, similarity_from_landmarks
from realtime.align.canonical_head import CANONICAL_HEAD, LANDMARKS
from trainer.aligner_task import AlignerTask
from trainer.config import FitConfig, Stage
from trainer.data.face_set import FaceSet
from trainer.device_batch import to_device
from trainer.fit import Task
from trainer.generator_task import GeneratorTask
from trainer.losses.aligner_losses import aligner_losses
from trainer.losses.pixel_losses import pixel_losses
from trainer.losses.recogniser import Recogniser
from trainer.precision import AUTO, matrix_peak, matrix_type, resolve_precision
from trainer.presets import PRESETS
from trainer.segmenter_task import SegmenterTask, segmentation_losses
from trainer.train_step import TrainStep, as_in_graph

_FACES = 256
_WARM_UP_STEPS = 5  # one more than it takes to compile and to capture a CUDA graph
_RATE = 1e-4
# The losses that need a further network.
_JUDGES = dict.fromkeys(("perceptual", "adversarial", "matching", "minimax", "distil"), 0.0)


@dataclass(frozen=True)
class TrainingSpeed:
    """How fast a preset trains in its last stage, which has all of its losses.

    Attributes:
        preset: its name.
        device: the device's name.
        batch: crops a step.
        crops_per_s: with the drawing of the samples.
        ms_a_step: the same as a time.
        peak_share: operations of all networks over the measured peak of matrix products, 0..1.
        gflop_a_crop: these operations.
        graphed: whether the step ran as a CUDA graph.
        shares: by part the share of the step's time, 0..1, that sums to 1: "drawing" (samples), "network"
            (forward and backward), "judges" (recogniser and discriminators, with their optimisers),
            "losses" (on pixels), "optimiser" (with clipping and weight average) and "host" (the rest).
    """

    preset: str
    device: str
    batch: int
    crops_per_s: float
    ms_a_step: float
    peak_share: float
    gflop_a_crop: float
    graphed: bool
    shares: dict[str, float]


def measure_training(
    preset: str,
    device: torch.device,
    *,
    batch: int,
    steps: int,
    width: int | None = None,
    compiled: bool = False,
) -> TrainingSpeed:
    """Train a preset's last stage on random pictures, with random weights, and take the time.

    Args:
        preset: its name.
        device: where to train.
        batch: crops a step.
        steps: number of steps timed; each part of a step is timed on its own as often.
        width: channels of the generator's first layer; None: the preset's.
        compiled: compile networks and pixel losses with torch.compile.
    """
    config = _config(preset, batch, width)
    fabric = _fabric(device)
    task, train_step, optimiser = _make(config, fabric, compiled)
    stage = config.stages[-1]
    rng, numbers = np.random.default_rng(0), count()
    indices = [index % _FACES for index in range(batch)]

    def draw() -> Any:
        return task.draw(stage, next(numbers), indices, rng)

    for step in range(_WARM_UP_STEPS):
        train_step(stage, draw(), step, _RATE)
    first = to_device(draw(), device)
    _wait(device)
    began = time.perf_counter()
    for step in range(steps):
        train_step(stage, draw(), step, _RATE)
    _wait(device)
    whole = (time.perf_counter() - began) / steps
    drawing = _seconds(draw, device, steps)
    graphed, gflop = train_step.graphed, train_step.gflop

    def losses(part: Stage) -> None:
        optimiser.zero_grad(set_to_none=True)
        fabric.backward(task.loss(part, first)[0])
        task.after_step(part)

    on_pixels = _seconds(_graphed(_pixel_part(task, stage, first), device), device, steps)
    without_judges = replace(stage, **_JUDGES)
    network = _seconds(_graphed(lambda: losses(without_judges), device), device, steps) - on_pixels
    with_judges = _seconds(_graphed(lambda: losses(stage), device), device, steps)
    update = _seconds(_graphed(train_step.update_weights, device), device, steps)
    parts = {
        "drawing": drawing,
        "network": network,
        "judges": max(0.0, with_judges - network - on_pixels),
        "losses": on_pixels,
        "optimiser": update,
    }
    parts["host"] = max(0.0, whole - sum(parts.values()))
    total = sum(parts.values())
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    return TrainingSpeed(
        preset=preset,
        device=name,
        batch=batch,
        crops_per_s=batch / whole,
        ms_a_step=whole * 1e3,
        peak_share=gflop / whole / matrix_peak(device, matrix_type(fabric)),
        gflop_a_crop=gflop / batch,
        graphed=graphed,
        shares={part: seconds / total for part, seconds in parts.items()},
    )


def synthetic_faces(number: int, seed: int = 0) -> FaceSet:
    """Make faces of random pixels with the landmarks of the canonical head, for measurements."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((LANDMARKS, 2))
    picture[CANONICAL_HEAD.index] = CANONICAL_HEAD.points_cm[:, :2] * (10, -10)
    landmarks = apply(similarity_from_landmarks(picture), picture).astype(np.float32)
    side = CROP_SIZE
    split, source, identity = (np.full(number, text) for text in ("train", "synthetic", ""))
    return FaceSet(
        rng.integers(0, 256, (number, side, side, 3), np.uint8),
        np.ones((number, side, side), bool),
        np.repeat(landmarks[None], number, 0),
        split,
        source,
        identity,
    )


def _config(preset: str, batch: int, width: int | None) -> FitConfig:
    config = PRESETS[preset]
    stage = replace(config.stages[-1], batch=batch)
    width = width or config.width
    return replace(config, stages=(stage,), width=width, faces=0, teacher="", validation_faces=1)


def _fabric(device: torch.device) -> Fabric:
    devices = [device.index or 0] if device.type == "cuda" else 1
    precision = resolve_precision(AUTO, device.type)
    return Fabric(accelerator=device.type, devices=devices, precision=precision)  # type: ignore[arg-type]


def _make(
    config: FitConfig, fabric: Fabric, compiled: bool
) -> tuple[Task, TrainStep, torch.optim.Optimizer]:
    faces = synthetic_faces(_FACES)
    if config.network == "segmenter":
        task = SegmenterTask(config, faces, faces)
    elif config.network == "aligner":
        task = AlignerTask(config, faces, faces)
    else:
        recogniser = Recogniser() if config.stages[-1].perceptual else None
        task = GeneratorTask(config, faces, faces, recogniser)
    optimiser = torch.optim.AdamW(task.net.parameters(), lr=_RATE)
    optimiser = task.setup(fabric, optimiser, compiled, in_time=True)
    average = copy.deepcopy(task.net)
    return task, TrainStep(task, fabric, optimiser, average, config.ema), optimiser


def _pixel_part(task: Task, stage: Stage, batch: Any) -> Callable[[], None]:
    """Return a function that runs the losses on outputs alone, forward and backward."""
    if isinstance(task, AlignerTask):
        aligned = torch.zeros_like(batch.wanted).requires_grad_()
        return lambda: _backward(aligner_losses(aligned, batch.wanted), [aligned])
    if isinstance(task, SegmenterTask):
        logits = torch.zeros_like(batch.masks[:, None].expand(-1, 2, -1, -1), dtype=torch.float32)
        outputs = [logits.requires_grad_()]
        return lambda: _backward(segmentation_losses(logits, batch.masks, batch.valid))
    chained = len(getattr(task.net, "autoencoders", [None]))
    outputs = [torch.zeros_like(batch.real).requires_grad_() for _ in range(chained)]

    def run() -> None:
        composite, losses = pixel_losses(stage, outputs, batch.real, batch.valid_holes)
        _backward({**losses, "composite": composite.mean()}, outputs)

    return run


def _backward(losses: dict[str, Tensor], inputs: list[Tensor] | None = None) -> None:
    torch.stack(list(losses.values())).sum().backward()
    for tensor in inputs or ():
        tensor.grad = None


def _graphed(run: Callable[[], object], device: torch.device) -> Callable[[], object]:
    """Capture a function as a CUDA graph, as the training step is, where that can be done."""
    if device.type != "cuda":
        return run
    stream = torch.cuda.Stream(device)
    stream.wait_stream(torch.cuda.current_stream(device))
    with torch.cuda.stream(stream), as_in_graph():
        for _ in range(3):
            run()
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
                run()
        except RuntimeError:
            return run
    return graph.replay


def _seconds(run: Callable[[], object], device: torch.device, times: int) -> float:
    """Return the mean time of a call in seconds."""
    run()
    _wait(device)
    began = time.perf_counter()
    for _ in range(times):
        run()
    _wait(device)
    return (time.perf_counter() - began) / times


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
