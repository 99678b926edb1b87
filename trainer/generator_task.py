"""Trains the student generator: L1 in the hole, perceptual and light adversarial finishing."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from inpaint_model.errors import UserError
from inpaint_model.student import StudentGenerator
from trainer.faceset import FaceSet
from trainer.measures import composited_psnr
from trainer.patch_discriminator import (
    PatchDiscriminator,
    discriminator_loss,
    feature_matching,
    generator_loss,
    patch_weights,
)
from trainer.presets import FitConfig, Stage
from trainer.recogniser import Recogniser
from trainer.sampling import HoleBatch, draw_hole_batch, draw_protocol


def to_tensor(crops: NDArray[np.uint8]) -> Tensor:
    """Turn uint8 [N, 128, 128, 3] into float [N, 3, 128, 128] in [-1, 1], channels last."""
    floats = torch.from_numpy(crops).permute(0, 3, 1, 2).float() / 127.5 - 1
    return floats.contiguous(memory_format=torch.channels_last)


def to_mask(flags: NDArray[np.bool_]) -> Tensor:
    """Turn bool [N, 128, 128] into float [N, 1, 128, 128]."""
    return torch.from_numpy(flags).float().unsqueeze(1)


def fill(
    net: nn.Module, crops: NDArray[np.uint8], holes: NDArray[np.bool_], batch: int = 50
) -> NDArray[np.uint8]:
    """Run a generator as the product does: uint8 in, composited and rounded uint8 out."""
    filled = []
    with torch.no_grad():
        for at in range(0, len(crops), batch):
            part = net(to_tensor(crops[at : at + batch]), to_mask(holes[at : at + batch])).float()
            levels = ((part + 1) * 127.5).round().clamp(0, 255).byte()
            filled.append(levels.permute(0, 2, 3, 1).numpy())
    return np.where(holes[..., None], np.concatenate(filled), crops)


def gradient_difference(fake: Tensor, real: Tensor, counted: Tensor) -> Tensor:
    """Mean absolute difference of horizontal and vertical steps at the counted pixels."""
    error = fake - real
    across = (error[..., :, 1:] - error[..., :, :-1]).abs() * counted[..., :, 1:]
    down = (error[..., 1:, :] - error[..., :-1, :]).abs() * counted[..., 1:, :]
    return (across.sum() + down.sum()) / (6 * counted.sum().clamp_min(1))


class GeneratorTask:
    """The student and its finishing.

    Args:
        config: the run.
        train, val: faces.
        recogniser: the perceptual network; None where no stage asks for it.
    """

    def __init__(
        self, config: FitConfig, train: FaceSet, val: FaceSet, recogniser: Recogniser | None
    ) -> None:
        if recogniser is None and any(stage.perceptual for stage in config.stages):
            raise UserError("this preset needs the recogniser's weights: name --recogniser DIR")
        torch.manual_seed(config.seed)
        self.net: nn.Module = StudentGenerator().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.discriminator = PatchDiscriminator().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._d_optimiser = torch.optim.Adam(
            self.discriminator.parameters(), lr=4e-4, betas=(0.5, 0.99)
        )
        self._recogniser = recogniser
        self._config, self._train = config, train
        rng = np.random.default_rng(config.seed)
        keep = np.isin(val.source, ["lfw", "celeba"]) if len(val) else np.zeros(0, bool)
        chosen = np.flatnonzero(keep) if keep.any() else np.arange(len(val))
        chosen = np.sort(rng.permutation(chosen)[: config.validation_faces])
        self._val = val.where(np.isin(np.arange(len(val)), chosen))
        self._pending: tuple[Tensor, Tensor, Tensor] | None = None

    def draw(self, stage: Stage, indices: list[int], rng: np.random.Generator) -> HoleBatch:
        """Draw a batch of crops and holes."""
        return draw_hole_batch(self._train, indices, rng, self._config.jitter)

    def loss(self, stage: Stage, batch: HoleBatch) -> tuple[Tensor, dict[str, float]]:
        """Return the weighted sum of the stage's losses; only known hole pixels count."""
        real, holes = to_tensor(batch.crops), to_mask(batch.holes)
        counted = to_mask(batch.counted)
        with torch.autocast("cpu", torch.bfloat16):
            out = self.net(real, holes)
        out = out.float()
        l1 = ((out - real).abs() * counted).sum() / (3 * counted.sum().clamp_min(1))
        total, parts = stage.l1 * l1, {"l1": float(l1.detach())}
        composite = real + (out - real) * counted
        if stage.perceptual and self._recogniser is not None:
            seen = self._perceptual(composite, real, batch.shift)
            total = total + stage.perceptual * seen
            parts["perceptual"] = float(seen.detach())
        if stage.gradient:
            slope = gradient_difference(composite, real, counted)
            total = total + stage.gradient * slope
            parts["gradient"] = float(slope.detach())
        if stage.adversarial or stage.matching:
            added, figures = self._adversarial(stage, composite, real, counted)
            total, parts = total + added, parts | figures
        return total, parts

    def _perceptual(self, composite: Tensor, real: Tensor, shift: tuple[int, int]) -> Tensor:
        """Distance of the recogniser's feature maps."""
        assert self._recogniser is not None
        rows, columns = slice(shift[0], shift[0] - 4 or None), slice(shift[1], shift[1] - 4 or None)
        fake, true = ((x[..., rows, columns] + 1) * 127.5 for x in (composite, real))
        with torch.autocast("cpu", torch.bfloat16):
            return self._recogniser.perceptual_loss(fake, true)

    def _adversarial(
        self, stage: Stage, composite: Tensor, real: Tensor, counted: Tensor
    ) -> tuple[Tensor, dict[str, float]]:
        self.discriminator.requires_grad_(False)
        logits, features = self.discriminator(composite)
        with torch.no_grad():
            _, wanted = self.discriminator(real)
        self.discriminator.requires_grad_(True)
        weight = patch_weights(counted, logits.shape[-1])
        adversarial = generator_loss(logits, weight)
        matching = feature_matching(wanted, features)
        self._pending = (composite.detach(), real, weight)
        total = stage.adversarial * adversarial + stage.matching * matching
        return total, {"adv": float(adversarial.detach()), "match": float(matching.detach())}

    def after_step(self, stage: Stage, rate: float) -> dict[str, float]:
        """Train the discriminator on the pictures of this step."""
        if self._pending is None:
            return {}
        composite, real, weight = self._pending
        self._pending = None
        logits, _ = self.discriminator(torch.cat([real, composite]))
        real_logits, fake_logits = logits.chunk(2)
        loss = discriminator_loss(real_logits, fake_logits, weight)
        self._d_optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self._d_optimiser.step()
        return {"disc": float(loss.detach())}

    def validate(self, net: nn.Module) -> tuple[dict[str, float], NDArray[np.uint8]]:
        """Measure both protocols on held-out faces; draw masked, result, truth."""
        figures: dict[str, float] = {}
        sheet = np.zeros((1, 1, 3), np.uint8)
        for kind, name in (("paper-squares", "squares_db"), ("face-mask", "mask_db")):
            holes, counted = draw_protocol(self._val, kind, seed=1)
            out = fill(net, self._val.crops, holes)
            figures[name] = float(composited_psnr(out, self._val.crops, self._val.valid).mean())
            sheet = make_sheet(self._val.crops, holes & counted, out)
        return figures, sheet

    def extra_state(self) -> dict[str, Any]:
        """The discriminator and its optimiser."""
        return {
            "discriminator": self.discriminator.state_dict(),
            "d_optimiser": self._d_optimiser.state_dict(),
        }

    def load_extra(self, state: dict[str, Any]) -> None:
        """Take the discriminator back."""
        self.discriminator.load_state_dict(state["discriminator"])
        self._d_optimiser.load_state_dict(state["d_optimiser"])


def make_sheet(
    crops: NDArray[np.uint8], holes: NDArray[np.bool_], results: NDArray[np.uint8], columns: int = 8
) -> NDArray[np.uint8]:
    """Lay out rows of masked, result and truth, uint8 RGB; 40 faces."""
    count = min(40, len(crops))
    masked = np.where(holes[..., None], np.uint8(127), crops)
    rows = []
    for at in range(0, count, columns):
        group = range(at, min(at + columns, count))
        for pictures in (masked, results, crops):
            tiles = [pictures[i] for i in group]
            tiles += [np.zeros_like(tiles[0])] * (columns - len(tiles))
            rows.append(cv2.hconcat(tiles))
    return np.asarray(cv2.vconcat(rows), dtype=np.uint8)
