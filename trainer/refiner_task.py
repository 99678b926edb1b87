"""Trains the refiner to restore blurred mouths, and validates it on fills too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from inpaint_model.networks.refiner import RefinerNet
from realtime.inpaint.layered_fill import Generator
from trainer.augment.fill_bank import fill_faces
from trainer.augment.refiner_samples import RefinerBatch, draw_refiner_batch
from trainer.config import FitConfig, Stage
from trainer.data.face_set import FaceSet
from trainer.evaluate.picture_rows import in_rows
from trainer.losses.discriminators import DiscriminatorBatch, PatchAdversary
from trainer.losses.pixel_losses import pixel_losses
from trainer.precision import one_cpu

if TYPE_CHECKING:
    from lightning.fabric import Fabric

_DETAIL_SIGMA_PX = 2.0  # of the blur whose residual is fine contrast, px


class RefinerTask:
    """The refiner with its samples, losses, discriminator and validation.

    Args:
        config: the run.
        train, val: faces of scale 2, without a margin.
        generator: makes the fills that it is validated on.
    """

    def __init__(
        self, config: FitConfig, train: FaceSet, val: FaceSet, generator: Generator
    ) -> None:
        torch.manual_seed(config.seed)
        self.net: nn.Module = RefinerNet().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.train_count = len(train)
        self._fabric = one_cpu()
        self._adversary = PatchAdversary()
        self._trained, self._train = self.net, train
        val, rng = val.sample(config.validation_faces, config.seed), np.random.default_rng(1)
        self._blurred = draw_refiner_batch(val, range(len(val)), rng)
        bank = fill_faces(val, generator, rng)
        self._filled = draw_refiner_batch(val, range(len(val)), rng, bank)

    def setup(
        self,
        fabric: Fabric,
        optimiser: torch.optim.Optimizer,
        compiled: bool,
        *,
        in_time: bool = False,
    ) -> torch.optim.Optimizer:
        """Move the network to the run's devices."""
        net = cast(nn.Module, torch.compile(self.net, dynamic=False)) if compiled else self.net
        self._trained, optimiser = fabric.setup(net, optimiser)
        self._fabric = fabric
        self._adversary.setup(fabric)
        return optimiser

    def draw(
        self, stage: Stage, step: int, indices: list[int], rng: np.random.Generator
    ) -> RefinerBatch:
        """Draw a batch."""
        return draw_refiner_batch(self._train, indices, rng)

    def loss(self, stage: Stage, batch: RefinerBatch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the weighted sum of the losses on pixels and patches of the hole, and each one."""
        patches, real = torch.as_tensor(batch.patches), torch.as_tensor(batch.real)
        refined = patches[..., :3] + self._trained(patches).float()
        out, truth = (x.permute(0, 3, 1, 2) / 127.5 - 1 for x in (refined, real))
        opacity = patches[..., 3].unsqueeze(1)
        composite, parts = pixel_losses(stage, [out], truth, opacity)
        total = torch.stack([getattr(stage, name) * value for name, value in parts.items()]).sum()
        parts = {name: value.detach() for name, value in parts.items()}
        if stage.adversarial or stage.matching:
            judged = DiscriminatorBatch(composite, truth, opacity)
            value, metrics = self._adversary.generator_loss(stage, judged)
            total, parts = total + value, parts | metrics
        return total, parts

    def after_step(self, stage: Stage) -> dict[str, Tensor]:
        """Train the discriminator on the pictures of this step."""
        return self._adversary.train_step(self._fabric)

    def validate(self, net: nn.Module, most: int) -> tuple[dict[str, float], NDArray[np.uint8]]:
        """Measure held-out squares.

        Returns:
            "detail", the error of the fine contrast of blurred photographs over that without the network,
            where less is better; "contrast", the fine contrast of fills over that of their photographs; a
            sheet of photographs, fills, and refined fills.
        """
        (blurred, filled) = (
            RefinerBatch(batch.patches[:most], batch.real[:most])
            for batch in (self._blurred, self._filled)
        )
        errors = [
            _contrast(picture - blurred.real, blurred.patches[..., 3])
            for picture in (_refine(net, blurred), blurred.patches[..., :3])
        ]
        after = _refine(net, filled)
        contrasts = [_contrast(x, filled.patches[..., 3]) for x in (after, filled.real)]
        figures = {
            "detail": errors[0] / max(errors[1], 1e-6),
            "contrast": contrasts[0] / max(contrasts[1], 1e-6),
        }
        rows = (_levels(x) for x in (filled.real, filled.patches[..., :3], after))
        return figures, in_rows(*rows)

    def extra_state(self) -> dict[str, Any]:
        """Return the state of the discriminator and its optimiser."""
        return {"patch": self._adversary.state_dict()}

    def load_extra(self, state: dict[str, Any]) -> None:
        """Load what `extra_state` returned, here or in a run of a version without a discriminator."""
        if "patch" in state:
            self._adversary.load_state_dict(state["patch"])


def _refine(net: nn.Module, batch: RefinerBatch, at_a_time: int = 16) -> NDArray[np.float32]:
    """Refine the fills of a batch: float32 [N, 128, 128, 3]."""
    given = torch.from_numpy(batch.patches).to(next(net.parameters()).device)
    with torch.no_grad():
        added = torch.cat([net(part) for part in given.split(at_a_time)]).float().cpu().numpy()
    return batch.patches[..., :3] + added


def _contrast(pictures: NDArray[np.float32], opacity: NDArray[np.float32]) -> float:
    """Mean absolute fine detail of float32 [N, S, S, 3] where float32 [N, S, S] is 1; 0 for no picture."""
    sums = [
        (np.abs(one - cv2.GaussianBlur(one, (0, 0), _DETAIL_SIGMA_PX)).mean(-1) * weight).sum()
        for one, weight in zip(pictures, opacity, strict=True)
    ]
    return float(np.sum(sums) / max(float(opacity.sum()), 1.0))


def _levels(pictures: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.clip(np.rint(pictures), 0, 255).astype(np.uint8)
