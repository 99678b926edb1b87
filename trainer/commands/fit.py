"""The command `fit`: brings configuration, data and network together and trains."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import torch
from lightning.fabric import Fabric
from lightning.fabric.strategies import DDPStrategy
from rich.console import Console

from inpaint_model.errors import UserError
from realtime.inpaint.self_ensemble import Augmentation, self_ensemble
from realtime.synthetic import Template, load_templates
from trainer.augment.segmenter_samples import MaskSources
from trainer.config import FitConfig
from trainer.data import face_set as faceset
from trainer.data.backgrounds import load_backgrounds
from trainer.data.face_set import FaceSet
from trainer.fit import Task, fit
from trainer.generator_task import GeneratorTask, Teacher
from trainer.initial_weights import check_initial_weights, load_initial_weights
from trainer.losses.recogniser import find_recogniser, load_recogniser
from trainer.options import FitOptions
from trainer.precision import resolve_precision
from trainer.presets import resolve
from trainer.runs import RunFolder
from trainer.segmenter_task import SegmenterTask

# The self-ensemble whose mean the teacher shows: rotations in degrees, plain and mirrored.
_TEACHER_POSES = tuple(
    Augmentation(rotation, mirrored) for rotation in (0.0, -5.0, 5.0) for mirrored in (False, True)
)


def start(options: FitOptions, faces: FaceSet | None = None) -> dict[str, float]:
    """Start or resume a run and train it to its end; return the last validation metrics.

    Args:
        options: the run.
        faces: the faces of `options.data` if they are loaded already.

    Raises:
        UserError: the options contradict each other or a file is not what it should be.
    """
    cv2.setNumThreads(1)
    begin, folder = options.begin, RunFolder(options.run)
    config = folder.config() if options.resume else _configure(options)
    for stage in config.stages:
        if stage.batch % options.devices:
            raise UserError(
                f"a batch of {stage.batch} does not divide over {options.devices} devices"
            )
    if begin is not None:
        check_initial_weights(begin)
    fabric = _launch(options)
    faces = faces or faceset.load(options.data)
    train, val = training_faces(faces, config), faces.select("val").canonical()
    if not len(train) or not len(val):
        raise UserError("the prepared data needs faces of both splits, train and val")
    task = _task(config, train, val, options)
    if begin is not None and not options.resume:
        load_initial_weights(begin, task.net, config, train.canonical())
    if fabric.is_global_zero:
        config = folder.begin(config, resume=options.resume)
    console = Console(soft_wrap=True, highlight=False, quiet=not fabric.is_global_zero)
    console.print(f"{config.preset}: {len(train)} faces to train on, {len(val)} held out")
    return fit(
        task,
        config,
        folder,
        fabric=fabric,
        compiled=options.compiled,
        resume=options.resume,
        log=console.print,
    )


def training_faces(faces: FaceSet, config: FitConfig) -> FaceSet:
    """Return the faces a run trains on: of its data sets, and as many as it asks for."""
    train = faces.select("train", config.sources)
    if config.sources and not len(train):
        train = faces.select("train")  # the paper's data set is not there: all others
    if config.faces and config.faces < len(train):
        train = train.sample(config.faces, [config.seed, 2])
    return train


def _configure(options: FitOptions) -> FitConfig:
    """Return the preset with the changes that the options ask for."""
    config = resolve(
        options.preset,
        scale=options.scale,
        stages=options.stage or (),
        batch=options.batch,
        width=options.width,
        faces=options.faces,
        seed=options.seed,
        teacher=options.teacher,
    )
    return replace(config, initial_weights=options.begin.name if options.begin else "")


def _launch(options: FitOptions) -> Fabric:
    """Start Fabric, and a process for each further device."""
    if options.threads:
        torch.set_num_threads(options.threads)
    # Each device keeps its own batch-norm statistics; those of the first are saved.
    strategy = DDPStrategy(broadcast_buffers=False) if options.devices > 1 else "auto"
    try:
        fabric = Fabric(
            accelerator=options.accelerator,
            devices=options.devices,
            strategy=strategy,
            precision=resolve_precision(options.precision, options.accelerator),  # type: ignore[arg-type]
        )
    except (ValueError, RuntimeError) as error:
        line = str(error).strip().splitlines()[0]
        raise UserError(f"these devices or this precision are not available: {line}") from None
    fabric.launch()
    return fabric


def _task(config: FitConfig, train: FaceSet, val: FaceSet, options: FitOptions) -> Task:
    if config.network == "segmenter":
        backgrounds = ()
        if options.backgrounds:
            backgrounds = load_backgrounds(options.backgrounds, options.manifest)
        sources = MaskSources(_templates(options.templates), backgrounds)
        return SegmenterTask(config, train, val, sources, _templates(options.val_templates))
    recogniser = None
    if any(stage.perceptual for stage in config.stages):
        recogniser = load_recogniser(find_recogniser(options.recogniser))
    return GeneratorTask(config, train, val, recogniser, _teacher(config))


def _templates(folder: Path | None) -> list[Template]:
    return load_templates(folder) if folder else []


def _teacher(config: FitConfig) -> Teacher | None:
    if not config.teacher:
        return None
    from inpaint_model import open_inpainter

    fill = open_inpainter(config.teacher, threads=1)
    return lambda crops, holes: self_ensemble(fill, crops, holes > 0, _TEACHER_POSES)
