"""Brings configuration, data and network together for the command `fit`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import torch
from lightning.fabric import Fabric
from lightning.fabric.strategies import DDPStrategy
from rich.console import Console

from inpaint_model.errors import UserError
from realtime.inpaint.self_ensemble import Augmentation, self_ensemble
from realtime.synthetic import Template, load_templates
from trainer.augment.segmenter_samples import Wardrobe
from trainer.config import FitConfig
from trainer.data import face_set as faceset
from trainer.data.backgrounds import load_places
from trainer.data.face_set import FaceSet
from trainer.fit import Task, fit
from trainer.generator_task import GeneratorTask, Teacher
from trainer.initial_weights import begin_from, check_start
from trainer.losses.recogniser import find_recogniser, load_recogniser
from trainer.precision import AUTO, resolve_precision
from trainer.presets import Changes, resolve
from trainer.runs import RunFolder
from trainer.segmenter_task import SegmenterTask

# What a teacher shows is the mean of these: smooth outlines.
_TAUGHT = tuple(
    Augmentation(turn, mirrored) for turn in (0.0, -5.0, 5.0) for mirrored in (False, True)
)


@dataclass(frozen=True)
class Devices:
    """Where a run is trained.

    Attributes:
        accelerator: "auto", "cpu", "cuda" or another of Lightning Fabric's.
        count: how many devices; each takes its part of every batch.
        precision: "auto", or of Lightning Fabric: "bf16-mixed", "32-true", "16-mixed", ...
        threads: CPU threads; 0 leaves torch's choice.
        compiled: compile the network; worth its minutes on a GPU.
    """

    accelerator: str = "auto"
    count: int = 1
    precision: str = AUTO
    threads: int = 0
    compiled: bool = False

    def open(self) -> Fabric:
        """Start Fabric, and the other devices' processes where there are several."""
        if self.threads:
            torch.set_num_threads(self.threads)
        # Each device keeps its own batch-norm figures; those of the first are saved.
        strategy = DDPStrategy(broadcast_buffers=False) if self.count > 1 else "auto"
        try:
            fabric = Fabric(
                accelerator=self.accelerator,
                devices=self.count,
                strategy=strategy,
                precision=resolve_precision(self.precision, self.accelerator),  # type: ignore[arg-type]
            )
        except (ValueError, RuntimeError) as error:
            line = str(error).strip().splitlines()[0]
            raise UserError(f"these devices or this precision cannot be had: {line}") from None
        fabric.launch()
        return fabric


@dataclass(frozen=True)
class Helpers:
    """What a run may be given besides its faces; folders, or None.

    Attributes:
        recogniser: weights of the perceptual loss's network.
        templates, val_templates: mask drawings the segmenter is trained and judged on.
        places: photographs without masks; the segmenter is shown any part of them.
        manifest: their splits, CSV as for `prepare`.
        begin: the run or exported file whose weights this one starts from.
    """

    recogniser: Path | None = None
    templates: Path | None = None
    val_templates: Path | None = None
    begin: Path | None = None
    places: Path | None = None
    manifest: Path | None = None


@dataclass(frozen=True)
class Order:
    """One `fit`, as ordered on the command line.

    Attributes:
        preset: its name.
        data: prepared files.
        run: the run folder.
        changes: to the preset.
        devices: where to train.
        helpers: what else is given.
        resume: go on from the run's checkpoint.
    """

    preset: str
    data: Sequence[Path]
    run: Path
    changes: Changes = field(default_factory=Changes)
    devices: Devices = field(default_factory=Devices)
    helpers: Helpers = field(default_factory=Helpers)
    resume: bool = False


def start(order: Order, faces: FaceSet | None = None) -> dict[str, float]:
    """Begin or resume a run and train it to its end; return the last validation figures.

    Args:
        order: what to train.
        faces: the faces of `order.data` where they are loaded already.

    Raises:
        UserError: the order makes no sense or its files are not what they should be.
    """
    cv2.setNumThreads(1)
    config = resolve(order.preset, order.changes)
    if order.helpers.begin is not None:
        config = replace(config, begun_from=order.helpers.begin.name)
    folder = RunFolder(order.run)
    if order.resume:
        config = folder.config()
    _check_devices(config, order.devices.count)
    if order.helpers.begin is not None:
        check_start(order.helpers.begin)
    fabric = order.devices.open()
    faces = faces or faceset.load(order.data)
    train, val = training_faces(faces, config), faces.only("val").canonical()
    if not len(train) or not len(val):
        raise UserError("the prepared data needs faces of both splits, train and val")
    task = _task(config, train, val, order.helpers)
    if order.helpers.begin is not None and not order.resume:
        begin_from(order.helpers.begin, task.net, config, train.canonical())
    if fabric.is_global_zero:
        config = folder.begin(config, resume=order.resume)
    console = Console(soft_wrap=True, highlight=False, quiet=not fabric.is_global_zero)
    console.print(f"{config.preset}: {len(train)} faces to train on, {len(val)} held out")
    return fit(
        task,
        config,
        folder,
        fabric=fabric,
        compiled=order.devices.compiled,
        resume=order.resume,
        log=console.print,
    )


def training_faces(faces: FaceSet, config: FitConfig) -> FaceSet:
    """Return the faces a run trains on: of its sources, and as many as it asks for."""
    train = faces.only("train", config.sources)
    if config.sources and not len(train):
        train = faces.only("train")  # data without the paper's set: take what there is
    if config.faces and config.faces < len(train):
        train = train.some(config.faces, [config.seed, 2])
    return train


def _check_devices(config: FitConfig, count: int) -> None:
    for stage in config.stages:
        if stage.batch % count:
            raise UserError(f"a batch of {stage.batch} does not divide over {count} devices")


def _task(config: FitConfig, train: FaceSet, val: FaceSet, helpers: Helpers) -> Task:
    if config.network == "segmenter":
        places = load_places(helpers.places, helpers.manifest) if helpers.places else ()
        wardrobe = Wardrobe(_templates(helpers.templates), places)
        return SegmenterTask(config, train, val, wardrobe, _templates(helpers.val_templates))
    recogniser = None
    if any(stage.perceptual for stage in config.stages):
        recogniser = load_recogniser(find_recogniser(helpers.recogniser))
    return GeneratorTask(config, train, val, recogniser, _teacher(config))


def _templates(folder: Path | None) -> list[Template]:
    return load_templates(folder) if folder else []


def _teacher(config: FitConfig) -> Teacher | None:
    if not config.teacher:
        return None
    from inpaint_model import open_inpainter

    fill = open_inpainter(config.teacher, threads=1)
    return lambda crops, holes: self_ensemble(fill, crops, holes > 0, _TAUGHT)
