"""One training step: nothing in it waits for the device, and a CUDA graph of it computes the same."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning.fabric import Fabric
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from trainer.aligner_task import AlignerTask
from trainer.augment.device_sampler import DeviceSampler
from trainer.augment.finish import Jitter
from trainer.config import FitConfig, Stage
from trainer.device_batch import to_device
from trainer.fit import Task, fit
from trainer.generator_task import GeneratorTask
from trainer.losses.recogniser import Recogniser
from trainer.precision import one_cpu
from trainer.presets import PRESETS
from trainer.refiner_task import RefinerTask
from trainer.runs import RunFolder
from trainer.segmenter_task import SegmenterTask
from trainer.teacher import Teacher
from trainer.throughput import synthetic_faces
from trainer.train_step import TrainStep

_FACES = synthetic_faces(6)
# Operators that read the device's memory on the host, and copies of Python numbers to the device.
_WAITING = {
    "_local_scalar_dense", "nonzero", "masked_select", "_unique2", "unique_dim", "unique_consecutive",
    "equal", "is_nonzero", "bincount", "repeat_interleave", "lift_fresh", "lift_fresh_copy",
}  # fmt: skip


class Recorder(TorchDispatchMode):
    """Records the operators that would make a host wait for a GPU."""

    def __init__(self) -> None:
        super().__init__()
        self.count, self.waiting = 0, list[str]()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None):
        self.count += 1
        name = func.overloadpacket.__name__
        by_flags = name in ("index", "index_put", "index_put_") and any(
            isinstance(index, Tensor) and index.dtype in (torch.bool, torch.uint8)
            for index in args[1]
        )
        if name in _WAITING or by_flags:
            self.waiting.append(str(func))
        return func(*args, **(kwargs or {}))


def gpu() -> torch.device:
    if not torch.cuda.is_available():
        pytest.skip("no NVIDIA GPU")
    return torch.device("cuda")


def tiny(preset: str, *stages: Stage) -> FitConfig:
    width = 4 if PRESETS[preset].network != "fast" else 8
    chosen = stages or (replace(PRESETS[preset].stages[-1], batch=2),)
    return replace(
        PRESETS[preset], stages=chosen, width=width, faces=0, validation_faces=2, validate_every=4
    )


def _doubled(pictures: np.ndarray) -> np.ndarray:
    return pictures.repeat(2, 1).repeat(2, 2)


def make_task(config: FitConfig) -> Task:
    if config.network == "segmenter":
        return SegmenterTask(config, _FACES, _FACES)
    if config.network == "aligner":
        return AlignerTask(config, _FACES, _FACES)
    if config.network == "refiner":
        fine = replace(_FACES, crops=_doubled(_FACES.crops), valid=_doubled(_FACES.valid), scale=2)
        return RefinerTask(config, fine, fine, lambda crops, holes: crops)
    torch.manual_seed(1)
    teacher = None
    if any(stage.distil for stage in config.stages):
        teacher = Teacher(GeneratorTask(tiny("paper"), _FACES, _FACES, None).net)
    return GeneratorTask(config, _FACES, _FACES, Recogniser(), teacher)


def make_step(task: Task, fabric: Fabric, decay: float = 0.9) -> TrainStep:
    optimiser = torch.optim.AdamW(task.net.parameters())
    optimiser = task.setup(fabric, optimiser, False)
    return TrainStep(task, fabric, optimiser, copy.deepcopy(task.net), decay, print)


def draw(task: Task, stage: Stage, step: int, fabric: Fabric) -> Any:
    rng = np.random.default_rng(step)
    return to_device(task.draw(stage, step, [0, 1], rng), fabric.device)


def drawn_on_cpu(config: FitConfig, count: int) -> list[Any]:
    task, rng = make_task(config), np.random.default_rng(0)
    return [task.draw(config.stages[0], step, [0, 1], rng) for step in range(count)]


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_train_step_never_waits(preset: str):
    config, fabric = tiny(preset), one_cpu()
    task = make_task(config)
    step, stage = make_step(task, fabric), config.stages[0]
    batch = draw(task, stage, 0, fabric)
    for number in range(2):
        with Recorder() as record:
            step(stage, batch, number, 1e-3)
        assert record.count > 100
        assert record.waiting == []
    assert all(np.isfinite(value) for value in step.mean_losses().values())


def test_device_sampler_draw_never_waits():
    device, rng = torch.device("cpu"), np.random.default_rng(0)
    sampler = DeviceSampler(_FACES, device, Jitter(), "masks", 0, capacity=16, workers=0)
    sampler.draw([0, 1], 0, rng)
    with Recorder() as record:
        sampler.draw([0, 1], 2, rng)
    assert record.count > 20
    assert [name for name in record.waiting if "lift" not in name] == []


def test_train_step_counts_all_networks():
    config, fabric = tiny("paper"), one_cpu()
    counts = []
    for losses in (replace(config.stages[0], minimax=0.0), config.stages[0]):
        task = make_task(replace(config, stages=(losses,)))
        step = make_step(task, fabric)
        step(losses, draw(task, losses, 0, fabric), 0, 1e-3)
        counts.append(step.gflop)
    assert 0 < counts[0] < counts[1]


def test_train_step_averages_weights():
    config, fabric = tiny("segmenter"), one_cpu()
    task = make_task(config)
    optimiser = task.setup(fabric, torch.optim.AdamW(task.net.parameters()), False)
    average = copy.deepcopy(task.net)
    step, wanted = TrainStep(task, fabric, optimiser, average, 0.2), dict[str, Tensor]()
    for number, share in enumerate((1.0, 9 / 11, 0.8)):
        step(config.stages[0], draw(task, config.stages[0], number, fabric), number, 1e-2)
        for name, value in task.net.state_dict().items():
            before = wanted.get(name, torch.zeros(()))
            wanted[name] = torch.lerp(before, value.float(), share)
    for name, value in average.state_dict().items():
        if value.is_floating_point():
            assert torch.allclose(value, wanted[name], atol=1e-6), name
        else:
            assert value == 3


def test_train_step_means_losses_by_stage():
    first = Stage(steps=2, batch=2)
    second = replace(first, gradient=1.0)
    config, fabric = tiny("fast", first, second), one_cpu()
    task = make_task(config)
    step, parts, loss = make_step(task, fabric), list[dict[str, float]](), task.loss

    def record(stage: Stage, batch: Any) -> tuple[Tensor, dict[str, Tensor]]:
        total, losses = loss(stage, batch)
        parts.append({name: float(value) for name, value in losses.items()})
        return total, losses

    task.loss = record  # type: ignore[method-assign]
    for number, stage in enumerate((first, first, second)):
        step(stage, draw(task, stage, number, fabric), number, 1e-3)
    means = step.mean_losses()
    assert means["l1"] == pytest.approx(np.mean([part["l1"] for part in parts]), rel=1e-5)
    assert means["gradient"] == pytest.approx(parts[2]["gradient"], rel=1e-5)
    assert step.mean_losses() == {}


def test_train_step_counted_first_compiles_later():
    def backend(graph: torch.fx.GraphModule, inputs: list[Tensor]) -> Any:
        compiled.append(len(inputs))
        return graph.forward

    config, fabric, compiled = tiny("segmenter"), one_cpu(), list[int]()
    task = make_task(config)
    step, stage = make_step(task, fabric), config.stages[0]
    task.net.compile(backend=backend)
    step(stage, draw(task, stage, 0, fabric), 0, 1e-3)
    assert step.gflop > 0 and not compiled
    step(stage, draw(task, stage, 1, fabric), 1, 1e-3)
    assert compiled


def test_train_step_runs_on_if_the_compiler_fails():
    from torch._dynamo.exc import BackendCompilerFailed

    config, fabric, said = tiny("segmenter"), one_cpu(), list[str]()
    task = make_task(config)
    optimiser = task.setup(fabric, torch.optim.AdamW(task.net.parameters()), False)
    step = TrainStep(task, fabric, optimiser, copy.deepcopy(task.net), 0.9, said.append)
    loss, stage = task.loss, config.stages[0]

    def fails(stage: Stage, batch: Any) -> tuple[Tensor, dict[str, Tensor]]:
        if step._stage_steps and not said:
            error = RuntimeError("no gcc")
            raise BackendCompilerFailed(make_step, error, None) from error
        return loss(stage, batch)

    task.loss = fails  # type: ignore[method-assign]
    try:
        for number in range(3):
            step(stage, draw(task, stage, number, fabric), number, 1e-3)
    finally:
        torch.compiler.set_stance("default")
    assert len(said) == 1 and "torch.compile failed" in said[0] and "no gcc" in said[0]
    assert step.mean_losses()["entropy"] > 0


@pytest.mark.gpu
@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_train_step_on_gpu_never_waits(preset: str):
    config, fabric = tiny(preset), Fabric(accelerator=gpu().type, devices=1, precision="bf16-mixed")
    task, stage = make_task(config), config.stages[0]
    step, batches = make_step(task, fabric), drawn_on_cpu(config, 8)
    step(stage, batches[0], 0, 1e-3)
    torch.cuda.synchronize()
    for number, batch in enumerate(batches[1:], 1):
        # The capture itself waits for the device, once a stage.
        torch.cuda.set_sync_debug_mode("default" if number == 3 else "error")
        try:
            step(stage, batch, number, 1e-3)
        finally:
            torch.cuda.set_sync_debug_mode("default")
    assert step.graphed
    assert all(np.isfinite(value) for value in step.mean_losses().values())


@pytest.mark.gpu
@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_cuda_graph_trains_as_eager_does(preset: str):
    gpu()
    config, means = tiny(preset), list[list[dict[str, float]]]()
    batches = drawn_on_cpu(config, 8)
    for graphed in (True, False):
        fabric = Fabric(accelerator="cuda", devices=1, precision="32-true")
        task, stage = make_task(config), config.stages[0]
        step = make_step(task, fabric)
        if not graphed:
            step._stream = None
        means.append([])
        for number, batch in enumerate(batches):
            step(stage, batch, number, 1e-4)
            means[-1].append(step.mean_losses())
        assert step.graphed == graphed
    for ours, theirs in zip(*means, strict=True):
        assert ours == pytest.approx(theirs, rel=0.02, abs=1e-3)


@pytest.mark.gpu
def test_fit_on_gpu_resumes(tmp_path: Path):
    gpu()
    stages = tuple(replace(stage, steps=6, batch=2) for stage in PRESETS["paper"].stages)
    config = tiny("paper", *stages)
    folder = RunFolder(tmp_path / "run")
    folder.begin(config, resume=False)

    def stop(text: str) -> None:
        if text.startswith("step 8  "):
            raise KeyboardInterrupt

    def cuda() -> Fabric:
        return Fabric(accelerator="cuda", devices=1, precision="bf16-mixed")

    with pytest.raises(KeyboardInterrupt):
        fit(make_task(config), config, folder, fabric=cuda(), log=stop)
    said = list[str]()
    metrics = fit(
        make_task(config), config, folder, fabric=cuda(), resume=True, log=lambda x: said.append(x)
    )
    assert all(np.isfinite(value) for value in metrics.values())
    assert not any("no CUDA graph" in line for line in said)
