"""The adversaries of generators and refiner, each with its optimiser: the paper's and one of patches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from inpaint_model.networks.discriminator import GlobalLocalDiscriminator
from trainer.config import Stage
from trainer.losses.paper_losses import discriminator_minimax, generator_minimax
from trainer.losses.patch_discriminator import (
    PatchDiscriminator,
    feature_matching,
    hinge_discriminator_loss,
    hinge_generator_loss,
    patch_weights,
)
from trainer.optimisers import make_fast

if TYPE_CHECKING:
    from lightning.fabric import Fabric

Metrics = dict[str, Tensor]


@dataclass(frozen=True)
class DiscriminatorBatch:
    """What a discriminator judges.

    Attributes:
        fake: float [N, 3, 128, 128] in [-1, 1], crops with a network's fill composited in.
        real: the true crops, likewise.
        valid_holes: float [N, 1, 128, 128], the fill's opacity, 0 on pixels whose truth is not known.
    """

    fake: Tensor
    real: Tensor
    valid_holes: Tensor


class Adversary:
    """A discriminator, its optimiser, and the batch it will be trained on next.

    Args:
        module: the discriminator.
        learning_rate: of its Adam optimiser.
    """

    def __init__(self, module: nn.Module, learning_rate: float = 4e-4) -> None:
        self.module: nn.Module = module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.net: nn.Module = self.module
        self.optimiser: torch.optim.Optimizer = torch.optim.Adam(
            self.module.parameters(), lr=learning_rate, betas=(0.5, 0.99)
        )
        from lightning.fabric import Fabric  # takes as long to import as torch

        self._fabric = Fabric(accelerator="cpu")
        self._batch: DiscriminatorBatch | None = None

    def setup(self, fabric: Fabric) -> None:
        """Move to the devices of the run."""
        self.net, self.optimiser = fabric.setup(self.module, self.optimiser)
        self._fabric = fabric
        make_fast(self.optimiser, fabric)

    def generator_loss(self, stage: Stage, batch: DiscriminatorBatch) -> tuple[Tensor, Metrics]:
        """Return the weighted adversarial loss; the discriminator receives no gradient from it."""
        self._batch = DiscriminatorBatch(batch.fake.detach(), batch.real, batch.valid_holes)
        self.module.requires_grad_(False)
        try:
            with self._fabric.autocast():
                return self._generator_loss(stage, batch)
        finally:
            self.module.requires_grad_(True)

    def train_step(self, fabric: Fabric) -> Metrics:
        """Train the discriminator on the batch of the last `generator_loss`."""
        if self._batch is None:
            return {}
        batch, self._batch = self._batch, None
        loss = self._discriminator_loss(batch)
        self.optimiser.zero_grad(set_to_none=True)
        fabric.backward(loss)
        self.optimiser.step()
        return {"disc": loss.detach()}

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint holds: the weights and the optimiser's state."""
        return {"net": self.module.state_dict(), "optimiser": self.optimiser.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Load what `state_dict` returned."""
        self.module.load_state_dict(state["net"])
        self.optimiser.load_state_dict(state["optimiser"])
        make_fast(self.optimiser, self._fabric)

    def _generator_loss(self, stage: Stage, batch: DiscriminatorBatch) -> tuple[Tensor, Metrics]:
        raise NotImplementedError

    def _discriminator_loss(self, batch: DiscriminatorBatch) -> Tensor:
        raise NotImplementedError


class PaperAdversary(Adversary):
    """The paper's global and local discriminator with its minimax loss (equation 1).

    Args:
        width: channels of its first convolutions.
    """

    def __init__(self, width: int) -> None:
        super().__init__(GlobalLocalDiscriminator(width))

    def _generator_loss(self, stage: Stage, batch: DiscriminatorBatch) -> tuple[Tensor, Metrics]:
        loss = generator_minimax(self.module(batch.fake, batch.valid_holes).float())
        return stage.minimax * loss, {"minimax": loss.detach()}

    def _discriminator_loss(self, batch: DiscriminatorBatch) -> Tensor:
        both = torch.cat([batch.real, batch.fake])
        logits = self.net(both, torch.cat([batch.valid_holes, batch.valid_holes]))
        return discriminator_minimax(*logits.float().chunk(2))


class PatchAdversary(Adversary):
    """A light discriminator of patches inside the hole: hinge loss and feature matching."""

    def __init__(self) -> None:
        super().__init__(PatchDiscriminator())

    def _generator_loss(self, stage: Stage, batch: DiscriminatorBatch) -> tuple[Tensor, Metrics]:
        logits, features = self.module(batch.fake)
        with torch.no_grad():
            _, wanted = self.module(batch.real)
        weights = patch_weights(batch.valid_holes, logits.shape[-1])
        adversarial = hinge_generator_loss(logits.float(), weights)
        matching = feature_matching(wanted, features)
        metrics = {"adv": adversarial.detach(), "match": matching.detach()}
        return stage.adversarial * adversarial + stage.matching * matching, metrics

    def _discriminator_loss(self, batch: DiscriminatorBatch) -> Tensor:
        logits, _ = self.net(torch.cat([batch.real, batch.fake]))
        real, fake = logits.float().chunk(2)
        weights = patch_weights(batch.valid_holes, logits.shape[-1])
        return hinge_discriminator_loss(real, fake, weights)
