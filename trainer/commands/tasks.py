"""Brings the network of a run together with its samples: generator, segmenter, face aligner or refiner."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from inpaint_model import open_inpainter
from inpaint_model.errors import UserError
from realtime.segment.segmenter import MaskSegmenter
from realtime.synthetic import Template, load_templates
from trainer.aligner_task import AlignerTask
from trainer.augment.segmenter_samples import MaskSources
from trainer.config import FitConfig
from trainer.data.backgrounds import load_backgrounds
from trainer.data.face_set import FaceSet
from trainer.fit import Task
from trainer.generator_task import GeneratorTask
from trainer.losses.recogniser import find_recogniser, load_recogniser
from trainer.options import FitOptions
from trainer.refiner_task import RefinerTask
from trainer.segmenter_task import SegmenterTask
from trainer.teacher import load_teacher


def make_task(config: FitConfig, train: FaceSet, val: FaceSet, options: FitOptions) -> Task:
    """Make what a run trains.

    Args:
        config: the run.
        train, val: faces, with their margin.
        options: name the files of what else is needed.

    Raises:
        UserError: a file is missing, or the faces do not suit the network.
    """
    if config.network == "aligner":
        return _aligner_task(config, train, val, options)
    val = val.canonical()
    if config.network == "refiner":
        with open_inpainter(config.teacher or "fast") as generator:
            return RefinerTask(config, train.canonical(), val, generator)
    if config.network == "segmenter":
        backgrounds, folder = (), options.backgrounds or options.places
        if folder:
            backgrounds = load_backgrounds(folder, options.manifest)
        sources = MaskSources(_templates(options.templates), backgrounds)
        teacher = MaskSegmenter(Path(config.teacher)) if config.teacher else None
        templates = _templates(options.val_templates)
        return SegmenterTask(config, train, val, sources, templates, teacher=teacher)
    recogniser = None
    if any(stage.perceptual for stage in config.stages):
        recogniser = load_recogniser(find_recogniser(options.recogniser))
    teacher = load_teacher(config.teacher) if config.teacher else None
    return GeneratorTask(config, train, val, recogniser, teacher)


def _aligner_task(
    config: FitConfig, train: FaceSet, val: FaceSet, options: FitOptions
) -> AlignerTask:
    if options.places is None:
        raise UserError("the face aligner needs photographs without people: name --places FOLDER")
    if not train.margin_px:
        raise UserError("the face aligner needs faces prepared with a margin: --margin 48")
    load_places = partial(load_backgrounds, options.places, options.manifest)
    return AlignerTask(config, train, val, load_places(), load_places(split="val"))


def _templates(folder: Path | None) -> list[Template]:
    return load_templates(folder) if folder else []
