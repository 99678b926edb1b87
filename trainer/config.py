"""The configuration of a training run: frozen, validated, saved as JSON."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from inpaint_model.errors import UserError
from trainer.augment.generator_samples import Jitter

NETWORKS = ("fast", "paper", "glcic", "segmenter", "aligner", "refiner")


@dataclass(frozen=True)
class Stage:
    """One stage of a training run, with the weight of each loss; a loss of weight 0 is left out.

    Attributes:
        steps: number of optimiser steps.
        batch: crops a step.
        lr_start, lr_end: learning rate at the start and the end, cosine decay between them.
        l1: mean absolute difference inside the hole, in units of [-1, 1].
        perceptual: distance of the recogniser's feature maps.
        gradient: mean absolute difference of the image gradients inside the hole; it suppresses the
            grid that the perceptual loss leaves.
        colour: mean absolute difference of the local chroma; the adversarial and perceptual losses
            hardly notice that skin turns green or grey.
        adversarial: hinge loss on patches inside the hole.
        matching: feature matching with the patch discriminator.
        mse: the paper's completion loss, its equation 2.
        minimax: the paper's minimax loss, its equation 1; it trains the paper's discriminator too.
        distil: if the run has a teacher, mean absolute difference from its fill, or cross-entropy with its
            mask.
    """

    steps: int
    batch: int = 32
    lr_start: float = 2e-3
    lr_end: float = 2e-4
    l1: float = 1.0
    perceptual: float = 0.0
    gradient: float = 0.0
    colour: float = 0.0
    adversarial: float = 0.0
    matching: float = 0.0
    mse: float = 0.0
    minimax: float = 0.0
    distil: float = 0.0

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch < 2:
            raise UserError("a stage needs at least 1 step and a batch of at least 2")


@dataclass(frozen=True)
class FitConfig:
    """The resolved configuration of a training run, saved beside its results.

    Attributes:
        preset: its name.
        network: "fast", "paper" (two chained autoencoders), "glcic" (one), "segmenter", "aligner" or
            "refiner".
        stages: run one after another.
        width: channels of the generator's first layer; the paper has 64, and the shipped `fast` 32.
        balance: "paper" and "glcic" balance colours before filling
            (`inpaint_model.networks.colour_balance`).
        holes: "masks" (silhouettes of worn masks and some squares) or "squares" (the paper's).
        sources: data sets trained on; all if empty.
        faces: number of faces trained on, drawn at random once; all if 0.
        teacher: what the stages' `distil` follows: a generator (`trainer.teacher`), or a segmenter's file;
            none if empty.
        initial_weights: name of the run or file whose weights this run started from.
        jitter: random affine and colour jitter of the samples.
        bare_share: segmenter and aligner: share of faces without a mask, 0..1.
        seed: fixes initial weights and every random draw.
        ema: decay of the exponential moving average of the weights, which is validated and exported.
        minutes: how long the run takes, its start and end included; the stages then share the training
            time in proportion to their steps. 0: the steps are counted.
        warm_up_steps: steps over which the learning rate rises linearly.
        validate_every: steps between two validations, of a run without `minutes`.
        validation_faces: largest number of held-out faces to validate on.
    """

    preset: str
    network: str
    stages: tuple[Stage, ...]
    width: int = 64
    balance: bool = False
    holes: str = "masks"
    sources: tuple[str, ...] = ()
    faces: int = 0
    teacher: str = ""
    initial_weights: str = ""
    jitter: Jitter = field(default_factory=Jitter)
    bare_share: float = 0.3
    seed: int = 0
    ema: float = 0.998
    minutes: float = 0.0
    warm_up_steps: int = 100
    validate_every: int = 500
    validation_faces: int = 300

    def __post_init__(self) -> None:
        if self.network not in NETWORKS:
            raise UserError(f"no such network: {self.network}")
        if self.holes not in ("masks", "squares"):
            raise UserError(f"no such kind of holes: {self.holes}")
        if self.width < 2 or self.width % 2:
            raise UserError(f"a width must be even and at least 2, not {self.width}")
        if self.faces < 0:
            raise UserError(f"--faces must be 0 or more, not {self.faces}")
        if not 0 <= self.minutes < math.inf:
            raise UserError(f"--minutes must be a number above 0, not {self.minutes}")
        if not self.stages:
            raise UserError("a run needs at least one stage")

    @property
    def data_scale(self) -> int:
        """Pixels for each crop pixel, in each direction, of the faces that the run needs."""
        return 2 if self.network == "refiner" else 1

    @property
    def steps(self) -> int:
        """Number of steps of all stages."""
        return sum(stage.steps for stage in self.stages)

    def crops_before(self, step: int) -> int:
        """Return the number of crops seen before a step."""
        crops = 0
        for stage in self.stages:
            crops += stage.batch * min(step, stage.steps)
            step -= min(step, stage.steps)
        return crops

    def stage_at(self, step: float) -> tuple[Stage, float]:
        """Return the stage of a step and the share of it done before, 0..1; the step may be a fraction."""
        for stage in self.stages:
            if step < stage.steps:
                return stage, step / stage.steps
            step -= stage.steps
        return self.stages[-1], 1.0

    def as_dict(self) -> dict[str, Any]:
        """Return the configuration as plain JSON types."""
        return asdict(self)

    @staticmethod
    def from_dict(data: dict[str, Any]) -> FitConfig:
        """Read what `as_dict` wrote."""
        parts = {
            "stages": tuple(Stage(**stage) for stage in data["stages"]),
            "jitter": Jitter(**data["jitter"]),
            "sources": tuple(data.get("sources", ())),
        }
        return FitConfig(**{**data, **parts})
