"""What a training run is: validated, frozen configuration and the named presets."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from inpaint_model.errors import UserError
from trainer.sampling import Jitter


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
        adversarial: weight of the hinge loss on patches inside the hole.
        matching: weight of the discriminator's feature matching.
    """

    steps: int
    batch: int = 32
    lr_start: float = 2e-3
    lr_end: float = 2e-4
    l1: float = 1.0
    perceptual: float = 0.0
    gradient: float = 0.0
    adversarial: float = 0.0
    matching: float = 0.0

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch < 2:
            raise UserError("a stage needs at least 1 step and a batch of at least 2")


@dataclass(frozen=True)
class FitConfig:
    """A resolved training run, saved beside its results.

    Attributes:
        preset: its name.
        network: "student" or "segmenter".
        stages: run one after another.
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
    jitter: Jitter = field(default_factory=Jitter)
    bare_share: float = 0.3
    seed: int = 0
    ema: float = 0.998
    warm_up_steps: int = 100
    validate_every: int = 500
    validation_faces: int = 300

    def __post_init__(self) -> None:
        if self.network not in ("student", "segmenter"):
            raise UserError(f"no such network: {self.network}")
        if not self.stages:
            raise UserError("a run needs at least one stage")

    @property
    def steps(self) -> int:
        """All steps of all stages."""
        return sum(stage.steps for stage in self.stages)

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
        stages = tuple(Stage(**stage) for stage in data["stages"])
        return FitConfig(**{**data, "stages": stages, "jitter": Jitter(**data["jitter"])})


PRESETS: dict[str, FitConfig] = {
    "fast": FitConfig(
        preset="fast",
        network="student",
        stages=(
            Stage(steps=4000, lr_start=2e-3, lr_end=5e-4),
            Stage(
                steps=5500,
                batch=16,
                lr_start=6e-4,
                lr_end=3e-4,
                l1=2.0,
                perceptual=0.25,
                gradient=1.5,
            ),
            Stage(
                steps=1200,
                batch=16,
                lr_start=3e-4,
                lr_end=5e-5,
                l1=2.0,
                perceptual=0.25,
                gradient=1.0,
                adversarial=0.01,
                matching=0.05,
            ),
        ),
        jitter=Jitter(colour=0.6),
    ),
    "segmenter": FitConfig(
        preset="segmenter",
        network="segmenter",
        stages=(Stage(steps=5000, lr_start=3e-3, lr_end=5e-5),),
        jitter=Jitter(rotation_deg=10.0, scale=0.13, shift_px=6.0, colour=0.6),
        validation_faces=400,
    ),
}


def resolve(preset: str, *, scale: float = 1.0, seed: int | None = None) -> FitConfig:
    """Return a preset, its steps multiplied by `scale`.

    Raises:
        UserError: no such preset.
    """
    if preset not in PRESETS:
        raise UserError(f"no preset {preset!r}; there are: {', '.join(sorted(PRESETS))}")
    config = PRESETS[preset]
    stages = tuple(replace(s, steps=max(1, round(s.steps * scale))) for s in config.stages)
    every = max(1, min(config.validate_every, sum(s.steps for s in stages)))
    seed = config.seed if seed is None else seed
    return replace(config, stages=stages, seed=seed, validate_every=every)
