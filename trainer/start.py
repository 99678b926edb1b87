"""Brings configuration, data and network together for the commands `fit` and `export`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from rich.console import Console

from inpaint_model.errors import UserError
from inpaint_model.segmenter import MaskSegmenterNet
from realtime.maskwear import Template, load_templates
from trainer import faceset
from trainer.export import export_generator, load_generator
from trainer.fit import Task, fit, load_average
from trainer.generator_task import GeneratorTask
from trainer.presets import FitConfig, resolve
from trainer.quantize import quantize_onnx
from trainer.recogniser import find_recogniser, load_recogniser
from trainer.runs import RunFolder
from trainer.sampling import draw_protocol
from trainer.segmenter_task import SegmenterTask, wear_all

_PARITY_CROPS, _QUANTIZATION_CROPS = 32, 400


def start(
    preset: str,
    data: Sequence[Path],
    run: Path,
    *,
    resume: bool = False,
    scale: float = 1.0,
    seed: int | None = None,
    threads: int = 0,
    recogniser: Path | None = None,
    templates: Path | None = None,
    val_templates: Path | None = None,
) -> dict[str, float]:
    """Begin or resume a run and train it to its end; return the last validation figures."""
    if threads:
        torch.set_num_threads(threads)
    cv2.setNumThreads(1)
    config = resolve(preset, scale=scale, seed=seed)
    faces = faceset.load(data)
    train, val = faces.only("train"), faces.only("val")
    if not len(train) or not len(val):
        raise UserError("the prepared data needs faces of both splits, train and val")
    folder = RunFolder(run)
    config = folder.begin(config, resume=resume)
    task: Task
    if config.network == "segmenter":
        worn = _templates(templates)
        task = SegmenterTask(config, train, val, worn, _templates(val_templates))
    else:
        task = GeneratorTask(config, train, val, _recogniser(config, recogniser))
    console = Console(soft_wrap=True, highlight=False)
    console.print(f"{preset}: {len(train)} faces to train on, {len(val)} held out, {run}")
    return fit(task, config, train, folder, resume=resume, log=console.print)


def _templates(folder: Path | None) -> list[Template]:
    return load_templates(folder) if folder else []


def _recogniser(config: FitConfig, folder: Path | None):
    if not any(stage.perceptual for stage in config.stages):
        return None
    return load_recogniser(find_recogniser(folder))


def export_run(run: Path, data: Sequence[Path], out: Path) -> str:
    """Export a run's averaged weights; return a line on parity.

    Args:
        run: a folder `fit` wrote.
        data: prepared files; held-out crops of them are what parity is checked on.
        out: the artefact's folder: `fast.onnx` or `segmenter.tflite`.
    """
    config = RunFolder(run).config()
    val = faceset.load(data).only("val")
    chosen = np.random.default_rng(0).permutation(len(val))[:_QUANTIZATION_CROPS]
    val = val.where(np.isin(np.arange(len(val)), chosen))
    out.mkdir(parents=True, exist_ok=True)
    if config.network == "segmenter":
        from trainer.tflite import export_segmenter

        net = MaskSegmenterNet()
        load_average(run, net)
        path = out / "segmenter.tflite"
        worn = wear_all(val.where(np.arange(len(val)) < _PARITY_CROPS), [], seed=2)
        return f"{path}: {export_segmenter(net.eval(), path, worn.crops)}"
    holes, _ = draw_protocol(val, "face-mask")
    path = out / f"{config.preset}.onnx"
    net = load_generator(run)
    parity = export_generator(net, path, val.crops[:_PARITY_CROPS], holes[:_PARITY_CROPS])
    report = quantize_onnx(path, val.crops, holes, out / f"{config.preset}.int8.onnx")
    return f"{path}: {parity}\n{report}"
