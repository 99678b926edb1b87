"""The named presets, and what a command line may change of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from inpaint_model.errors import UserError
from trainer.augment.generator_samples import Jitter
from trainer.config import FitConfig, Stage
from trainer.losses.paper_losses import ALPHA

# 1,000 epochs of 2,000 images are 2,000,000 crops; the paper says "minimax first, then joint" and not
# for how long: the first 50 epochs are minimax here. Its equations 1, then 1 to 3.
MINIMAX = Stage(steps=3125, lr_start=1e-3, lr_end=1e-3, l1=0.0, minimax=1.0)
JOINT = Stage(steps=59_375, lr_start=1e-3, lr_end=1e-5, l1=0.0, mse=1.0, minimax=ALPHA)
_PAPER = FitConfig(
    preset="paper",
    network="paper",
    stages=(MINIMAX, JOINT),
    holes="squares",
    sources=("celeba",),
    faces=2000,
    jitter=Jitter(rotation_deg=0.0, scale=0.0, shift_px=0.0, colour=0.0),
    ema=0.999,
    validation_faces=100,
)

PRESETS: dict[str, FitConfig] = {
    "paper": _PAPER,
    "glcic": replace(_PAPER, preset="glcic", network="glcic"),
    "paper-mask": FitConfig(
        preset="paper-mask",
        network="paper",
        stages=(
            Stage(steps=20_000, batch=16, lr_start=1e-3, lr_end=3e-4, gradient=0.5, distil=2.0),
            Stage(
                steps=20_000,
                batch=16,
                lr_start=5e-4,
                lr_end=2e-4,
                l1=2.0,
                perceptual=0.25,
                gradient=1.0,
            ),
            Stage(
                steps=10_000,
                batch=16,
                lr_start=2e-4,
                lr_end=2e-5,
                l1=2.0,
                perceptual=0.25,
                gradient=1.0,
                adversarial=0.01,
                matching=0.05,
            ),
        ),
        balance=True,
        jitter=Jitter(colour=0.6),
        validation_faces=100,
    ),
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
            Stage(
                steps=2300,
                batch=16,
                lr_start=4e-4,
                lr_end=2e-5,
                l1=2.0,
                perceptual=0.25,
                gradient=1.0,
                colour=4.0,
                adversarial=0.02,
                matching=0.1,
            ),
            Stage(
                steps=2300,
                batch=16,
                lr_start=3e-4,
                lr_end=2e-5,
                l1=2.0,
                perceptual=0.25,
                gradient=0.5,
                colour=4.0,
                adversarial=0.01,
                matching=0.1,
                distil=2.0,
            ),
        ),
        jitter=Jitter(rotation_deg=5.0, scale=0.1, shift_px=4.0, colour=0.6),
    ),
    "segmenter": FitConfig(
        preset="segmenter",
        network="segmenter",
        stages=(
            Stage(steps=5000, lr_start=3e-3, lr_end=5e-5),
            Stage(steps=3500, lr_start=1.5e-3, lr_end=2e-5),
            Stage(steps=7000, lr_start=8e-4, lr_end=1e-5),
        ),
        jitter=Jitter(rotation_deg=12.0, scale=0.16, shift_px=8.0, colour=0.6),
        validation_faces=400,
    ),
}


@dataclass(frozen=True)
class Changes:
    """What a command line changes of a preset; None leaves it.

    Attributes:
        scale: multiplies every stage's steps.
        stages: which of the preset's stages to run, counted from 1; all where empty.
        batch: crops a step; the steps are scaled so that as many crops are seen.
        width, faces, seed, teacher: of `FitConfig`.
    """

    scale: float = 1.0
    batch: int | None = None
    width: int | None = None
    faces: int | None = None
    seed: int | None = None
    teacher: str | None = None
    stages: tuple[int, ...] = ()


def resolve(preset: str, changes: Changes | None = None) -> FitConfig:
    """Return a preset with the changes made.

    Raises:
        UserError: no such preset, or a change that makes no sense.
    """
    if preset not in PRESETS:
        raise UserError(f"no preset {preset!r}; there are: {', '.join(sorted(PRESETS))}")
    changes = changes or Changes()
    if not changes.scale > 0:
        raise UserError(f"--scale must be above 0, not {changes.scale}")
    config = PRESETS[preset]
    wrong = [number for number in changes.stages if not 1 <= number <= len(config.stages)]
    if wrong:
        raise UserError(f"{preset} has stages 1 to {len(config.stages)}, not {wrong[0]}")
    taken = changes.stages or tuple(range(1, len(config.stages) + 1))
    stages = tuple(_changed(config.stages[number - 1], changes) for number in taken)
    every = max(1, min(config.validate_every, sum(stage.steps for stage in stages) // 4))
    named = {name: getattr(changes, name) for name in ("width", "faces", "seed", "teacher")}
    kept = {name: value for name, value in named.items() if value is not None}
    return replace(config, stages=stages, validate_every=every, **kept)


def _changed(stage: Stage, changes: Changes) -> Stage:
    batch = changes.batch or stage.batch
    steps = max(1, round(stage.steps * changes.scale * stage.batch / batch))
    return replace(stage, batch=batch, steps=steps)
