"""The command `fit`: brings configuration, data and network together and trains."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import cv2
import torch
from lightning.fabric import Fabric
from lightning.fabric.strategies import DDPStrategy
from rich.console import Console

from inpaint_model.errors import UserError
from trainer.augment.holes import draw_protocol
from trainer.commands.tasks import make_task
from trainer.config import FitConfig
from trainer.data import face_set as faceset
from trainer.data.face_set import FaceSet
from trainer.export.image_network_export import INTERFACES, images_of
from trainer.export.run_exporter import GeneratorExporter, ImageNetworkExporter, RunExporter
from trainer.fit import Task, fit
from trainer.initial_weights import (
    check_initial_weights,
    load_initial_adversaries,
    load_initial_weights,
)
from trainer.options import FitOptions
from trainer.precision import resolve_precision
from trainer.presets import resolve
from trainer.run_clock import TRIAL_EXPORT, RunClock
from trainer.runs import RunFolder

_PARITY_CROPS = 2  # held-out crops to compare an exported network on


def start(
    options: FitOptions, faces: FaceSet | None = None, began_s: float | None = None
) -> dict[str, float]:
    """Start or resume a run and train it to its end; return the last validation metrics.

    Args:
        options: the run.
        faces: the faces of `options.data` if they are loaded already.
        began_s: `time.monotonic()` at the start of the process, from which `options.minutes` count; by
            default now.

    Raises:
        UserError: the options contradict each other or a file is not what it should be.
    """
    began_s = time.monotonic() if began_s is None else began_s
    cv2.setNumThreads(1)
    folder = RunFolder(options.run)
    config = _resumed(folder, options) if options.resume else _configure(options)
    _check(config, options)
    if options.resume and folder.finished:
        print(f"{folder.path}: its {config.minutes:g} minutes are over; it is finished")
        return {}
    clock = RunClock(began_s, folder.used_s() if options.resume else 0.0)
    fabric = _launch(options)
    faces = faces or faceset.load(options.data, config.data_scale)
    train, val = training_faces(faces, config), faces.select("val")
    if not len(train) or not len(val):
        raise UserError("the prepared data needs faces of both splits, train and val")
    task = make_task(config, train, val, options)
    if not folder.has_checkpoint:
        _begin(config, task, train, options)
    if fabric.is_global_zero:
        config = folder.begin(config, resume=options.resume)
    console = Console(soft_wrap=True, highlight=False, quiet=not fabric.is_global_zero)
    console.print(f"{config.preset}: {len(train)} faces to train on, {len(val)} held out")
    run = partial(
        fit,
        task,
        config,
        folder,
        fabric=fabric,
        compiled=options.compiled,
        resume=options.resume,
        log=console.print,
        clock=clock,
    )
    if not config.minutes:
        return run()
    with folder.keep_time(clock), stop_signals() as stop:
        exporter = _exporter(folder, task, config, val, clock, console.print)
        return run(exporter=exporter, stop=stop)


def _begin(config: FitConfig, task: Task, train: FaceSet, options: FitOptions) -> None:
    """Load the initial weights that a run without a checkpoint has."""
    if options.begin is not None:
        load_initial_weights(options.begin, task.net, config, train.canonical())
        load_initial_adversaries(options.begin, task)
    elif config.initial_weights:
        name = config.initial_weights
        raise UserError(f"{options.run}: holds no checkpoint yet; name --begin {name} again")


def _exporter(
    folder: RunFolder,
    task: Task,
    config: FitConfig,
    val: FaceSet,
    clock: RunClock,
    log: Callable[[str], Any],
) -> RunExporter | None:
    """Return what exports the network at the end, tried out.

    None for a segmenter, which `export` writes, and where the trial fails; the averaged weights remain.
    """
    if config.network == "segmenter":
        return None
    few = val.sample(_PARITY_CROPS, config.seed).canonical()
    names = INTERFACES.get(type(task.net))
    if names is not None:
        images = images_of(task.net, few)
        exporter = ImageNetworkExporter(folder.path, names.stem, images)
    else:
        holes, _ = draw_protocol(few, "face-mask", config.seed)
        exporter = GeneratorExporter(folder.path, config.network, few.crops, holes)
    with clock.phase(TRIAL_EXPORT):
        try:
            exporter.try_out(task.net)
        except UserError as error:
            log(f"{error}; export the run elsewhere, with `python -m trainer export --run`")
            return None
    return exporter


@contextmanager
def stop_signals() -> Iterator[Callable[[], bool]]:
    """Give a function that says whether SIGINT or SIGTERM came; the second one acts as it does usually."""
    usual: dict[int, Any] = {
        number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)
    }
    came: list[int] = []

    def note(number: int, _: object) -> None:
        came.append(number)
        signal.signal(number, usual[number])

    for number in usual:
        signal.signal(number, note)
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)


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
    lengths = {"--minutes": options.minutes, "--crops": options.crops, "--scale": options.scale}
    given = [name for name, value in lengths.items() if value is not None]
    if len(given) > 1:
        raise UserError(f"name one of {' and '.join(given)}: each says how long the run is")
    if options.minutes == 0:
        raise UserError("--minutes must be a number above 0, not 0")
    config = resolve(
        options.preset,
        scale=1.0 if options.scale is None else options.scale,
        crops=options.crops,
        batch=options.batch,
        first_stage=options.first_stage,
        last_stage=options.last_stage,
        rate=options.rate,
        width=options.width,
        faces=options.faces,
        seed=options.seed,
        teacher=options.teacher,
        minutes=options.minutes,
    )
    return replace(config, initial_weights=options.begin.name if options.begin else "")


def _resumed(folder: RunFolder, options: FitOptions) -> FitConfig:
    """Return the configuration of the run to resume."""
    config = folder.config()
    if options.minutes is not None and options.minutes != config.minutes:
        has = f"{config.minutes:g} minutes" if config.minutes else "a number of steps"
        raise UserError(f"{folder.path}: is a run of {has}, which --minutes does not change")
    return config


def _check(config: FitConfig, options: FitOptions) -> None:
    """Raise `UserError` if the devices do not suit the run or the initial weights are missing."""
    if config.minutes and options.devices > 1:
        raise UserError("--minutes needs one device: the clocks of several would differ")
    for stage in config.stages:
        if stage.batch % options.devices:
            raise UserError(
                f"a batch of {stage.batch} does not divide over {options.devices} devices"
            )
    if options.begin is not None:
        check_initial_weights(options.begin)


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
