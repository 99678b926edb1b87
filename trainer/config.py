"""What a training run is: its validated, frozen configuration."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from inpaint_model.errors import UserError
from trainer.augment.generator_samples import Jitter

NETWORKS = ("student", "paper", "glcic", "segmenter")


@dataclass(frozen=True)
class Stage:
    """One stretch of a training run.

    Attributes:
        steps: optimiser steps.
        batch: crops a step.
        lr_start, lr_end: learning rate, cosine between the two.
        l1: weight of the mean absolute difference inside the hole ([-1, 1] units).
        perceptual: weight of the recogniser's feature distance.
        gradient: weight of the mean absolute difference of the picture's gradients inside the hole;
            keeps the perceptual loss from leaving a grid.
        colour: weight of the mean absolute difference of the local mean colour, brightness apart; the
            adversarial and perceptual losses hardly see that skin turns green or grey.
        adversarial: weight of the hinge loss on patches inside the hole.
        matching: weight of the patch discriminator's feature matching.
        mse: weight of the paper's completion loss, its equation 2.
        minimax: weight of the paper's minimax loss, its equation 1; trains the paper's
            discriminator too.
        distil: weight of the mean absolute difference from a teacher's fill, where a teacher is
            named; nothing else.
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
    """A resolved training run, saved beside its results.

    Attributes:
        preset: its name.
        network: "student", "paper" (two chained autoencoders), "glcic" (one) or "segmenter".
        stages: run one after another.
        width: channels of the first layer of "paper" and "glcic"; 64 is the paper's.
        balance: "paper" and "glcic" balance colours before filling
            (`inpaint_model.networks.colour_balance`).
        holes: "masks" (silhouettes of worn masks and some squares) or "squares" (the paper's).
        sources: data sets trained on; all where empty.
        faces: how many faces, drawn at random once, are trained on; all where 0.
        teacher: the shipped model whose fills the stages' `distil` follows; none where empty.
        begun_from: the run or model whose weights this one started from, for the record.
        jitter: how samples are moved and recoloured.
        bare_share: segmenter: share of faces without a mask.
        seed: fixes initial weights and every draw.
        ema: decay of the averaged weights, which are validated and exported.
        warm_up_steps: the learning rate rises linearly over these.
        validate_every, validation_faces: how often and on how many held-out faces.
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
    begun_from: str = ""
    jitter: Jitter = field(default_factory=Jitter)
    bare_share: float = 0.3
    seed: int = 0
    ema: float = 0.998
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
            raise UserError(f"a number of faces cannot be {self.faces}")
        if not self.stages:
            raise UserError("a run needs at least one stage")

    @property
    def steps(self) -> int:
        """All steps of all stages."""
        return sum(stage.steps for stage in self.stages)

    def crops_before(self, step: int) -> int:
        """Crops seen by the steps before this one."""
        crops = 0
        for stage in self.stages:
            crops += stage.batch * min(step, stage.steps)
            step -= min(step, stage.steps)
        return crops

    def stage_at(self, step: int) -> tuple[Stage, float]:
        """Return the stage a step belongs to, and how far it is in it, 0..1."""
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
