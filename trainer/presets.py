"""The named presets of training runs, and the changes a command line may ask for."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from inpaint_model.errors import UserError
from trainer.augment.generator_samples import Jitter
from trainer.config import FitConfig, Stage
from trainer.losses.paper_losses import ALPHA

# The paper trains 1,000 epochs of 2,000 images: 2,000,000 crops. It says "minimax first, then joint" but
# not for how long; here the first 50 epochs are minimax. MINIMAX is its equation 1, JOINT its equation 3.
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

_DISTIL = 2.0  # weight of the distance from a teacher's fills
# Losses of the generators' second and third stages; each replaces steps and learning rates.
_PERCEPTUAL = Stage(steps=1, batch=16, l1=2.0, perceptual=0.25, gradient=1.0, colour=1.0)
_ADVERSARIAL = replace(_PERCEPTUAL, colour=4.0, adversarial=0.01, matching=0.1)

PRESETS: dict[str, FitConfig] = {
    "paper": _PAPER,
    "glcic": replace(_PAPER, preset="glcic", network="glcic"),
    "paper-mask": FitConfig(
        preset="paper-mask",
        network="paper",
        stages=(
            Stage(steps=15_000, batch=16, lr_start=1e-3, lr_end=7e-4, gradient=0.5),
            replace(_PERCEPTUAL, steps=15_000, lr_start=7e-4, lr_end=3e-4),
            replace(_ADVERSARIAL, steps=20_000, lr_start=3e-4, lr_end=5e-6),
        ),
        balance=True,
        jitter=Jitter(rotation_deg=5.0, scale=0.1, shift_px=4.0, colour=0.6),
        validation_faces=100,
    ),
    "fast": FitConfig(
        preset="fast",
        network="fast",
        width=32,
        stages=(
            Stage(steps=18_750, batch=16, lr_start=2e-3, lr_end=8e-4, gradient=0.5),
            replace(_PERCEPTUAL, steps=18_750, lr_start=8e-4, lr_end=4e-4, gradient=1.5),
            replace(_ADVERSARIAL, steps=25_000, lr_start=4e-4, lr_end=1e-5),
        ),
        jitter=Jitter(rotation_deg=5.0, scale=0.1, shift_px=4.0, colour=0.6),
    ),
    "segmenter": FitConfig(
        preset="segmenter",
        network="segmenter",
        stages=(Stage(steps=25_000, lr_start=3e-3, lr_end=1e-5),),
        jitter=Jitter(rotation_deg=12.0, scale=0.16, shift_px=8.0, colour=0.6),
        validation_faces=400,
    ),
    # Its samples have their own ranges of size, place and angle.
    "aligner": FitConfig(
        preset="aligner",
        network="aligner",
        stages=(Stage(steps=15_000, batch=256, lr_start=2e-3, lr_end=1e-5),),
        jitter=Jitter(rotation_deg=0.0, scale=0.0, shift_px=0.0, colour=0.9),
        bare_share=0.33,
        validation_faces=400,
    ),
    # Its samples have their own ranges too.
    "refiner": FitConfig(
        preset="refiner",
        network="refiner",
        stages=(
            Stage(steps=3_000, batch=16, lr_start=1e-3, lr_end=1e-4, l1=2.0, gradient=4.0),
            Stage(
                steps=7_500,
                batch=16,
                lr_start=3e-4,
                lr_end=1e-5,
                gradient=1.0,
                adversarial=0.015,
                matching=0.4,
            ),
        ),
        jitter=Jitter(rotation_deg=0.0, scale=0.0, shift_px=0.0, colour=0.0),
        validation_faces=100,
    ),
}


def resolve(
    preset: str,
    *,
    scale: float = 1.0,
    crops: int | None = None,
    batch: int | None = None,
    first_stage: int = 1,
    last_stage: int | None = None,
    rate: float = 1.0,
    **fields: Any,
) -> FitConfig:
    """Return a preset with changes.

    Args:
        preset: its name.
        scale: factor on the number of steps of every stage.
        crops: number of crops that the stages see together, in place of `scale`.
        batch: crops a step; the steps are scaled so that as many crops are seen.
        first_stage: number of the stage that the run begins with; those before it are left out.
        last_stage: number of the stage that it ends with; None: the preset's last one.
        rate: factor on every learning rate.
        fields: values of other fields of `FitConfig` (width, faces, seed, teacher); None changes nothing.
            A teacher is followed in every stage.

    Raises:
        UserError: no such preset, or a value out of range.
    """
    if preset not in PRESETS:
        raise UserError(f"no preset {preset!r}; there are: {', '.join(sorted(PRESETS))}")
    if not 0 < scale < math.inf:
        raise UserError(f"--scale must be a number above 0, not {scale}")
    if not 0 < rate < math.inf:
        raise UserError(f"--rate must be a number above 0, not {rate}")
    if crops is not None and crops < 1:
        raise UserError(f"--crops must be at least 1, not {crops}")
    config = PRESETS[preset]
    if not 1 <= first_stage <= len(config.stages):
        raise UserError(f"--first-stage: {preset} has {len(config.stages)}, not {first_stage}")
    if last_stage is not None and not first_stage <= last_stage <= len(config.stages):
        raise UserError(
            f"--last-stage must be {first_stage} to {len(config.stages)}, not {last_stage}"
        )
    config = replace(config, stages=config.stages[first_stage - 1 : last_stage])
    if crops is not None:
        scale = crops / sum(stage.steps * stage.batch for stage in config.stages)
    resized = []
    for stage in config.stages:
        size = batch or stage.batch
        steps = max(1, round(stage.steps * scale * stage.batch / size))
        rates = {"lr_start": rate * stage.lr_start, "lr_end": rate * stage.lr_end}
        resized.append(replace(stage, batch=size, steps=steps, **rates))
    every = max(1, min(config.validate_every, sum(stage.steps for stage in resized) // 4))
    changed = {name: value for name, value in fields.items() if value is not None}
    if changed.get("teacher"):
        resized = [replace(stage, distil=stage.distil or _DISTIL) for stage in resized]
    return replace(config, stages=tuple(resized), validate_every=every, **changed)
