"""The generator's opponents: the paper's discriminator and a light patch discriminator, each trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from lightning.fabric import Fabric
from torch import Tensor, nn

from inpaint_model.networks.discriminator import GlobalLocalDiscriminator
from trainer.config import Stage
from trainer.losses.paper_losses import discriminator_minimax, generator_minimax
from trainer.losses.patch_discriminator import (
    PatchDiscriminator,
    discriminator_loss,
    feature_matching,
    generator_loss,
    patch_weights,
)

Figures = dict[str, Tensor]


@dataclass(frozen=True)
class Pictures:
    """What an opponent judges.

    Attributes:
        fake: float [N, 3, 128, 128] in [-1, 1], crops with the generator's fill composited in.
        real: the true crops.
        holes: float [N, 1, 128, 128], 1 on hole pixels whose truth is known.
    """

    fake: Tensor
    real: Tensor
    holes: Tensor


class Adversary:
    """A discriminator, its optimiser, and the pictures of this step it will learn from.

    Args:
        net: the discriminator.
        rate: its learning rate.
    """

    def __init__(self, net: nn.Module, rate: float = 4e-4) -> None:
        self.plain: nn.Module = net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.net: nn.Module = self.plain
        self.optimiser: torch.optim.Optimizer = torch.optim.Adam(
            self.plain.parameters(), lr=rate, betas=(0.5, 0.99)
        )
        self._autocast = Fabric(accelerator="cpu").autocast
        self._seen: Pictures | None = None

    def setup(self, fabric: Fabric) -> None:
        """Move to the devices of the run."""
        self.net, self.optimiser = fabric.setup(self.plain, self.optimiser)
        self._autocast = fabric.autocast

    def judge(self, stage: Stage, seen: Pictures) -> tuple[Tensor, Figures]:
        """Return the weighted loss of the generator; no slope reaches the discriminator."""
        self._seen = Pictures(seen.fake.detach(), seen.real, seen.holes)
        self.plain.requires_grad_(False)
        try:
            with self._autocast():
                return self._generator_loss(stage, seen)
        finally:
            self.plain.requires_grad_(True)

    def learn(self, fabric: Fabric) -> Figures:
        """Train the discriminator on the pictures judged last."""
        if self._seen is None:
            return {}
        seen, self._seen = self._seen, None
        loss = self._own_loss(seen)
        self.optimiser.zero_grad(set_to_none=True)
        fabric.backward(loss)
        self.optimiser.step()
        return {"disc": loss.detach()}

    def state(self) -> dict[str, Any]:
        """What a checkpoint holds of it."""
        return {"net": self.plain.state_dict(), "optimiser": self.optimiser.state_dict()}

    def load(self, state: dict[str, Any]) -> None:
        """Take back what `state` returned."""
        self.plain.load_state_dict(state["net"])
        self.optimiser.load_state_dict(state["optimiser"])

    def _generator_loss(self, stage: Stage, seen: Pictures) -> tuple[Tensor, Figures]:
        raise NotImplementedError

    def _own_loss(self, seen: Pictures) -> Tensor:
        raise NotImplementedError


class PaperAdversary(Adversary):
    """The paper's global and local discriminator with its minimax loss (equation 1).

    Args:
        width: channels of its first convolutions.
    """

    def __init__(self, width: int) -> None:
        super().__init__(GlobalLocalDiscriminator(width))

    def _generator_loss(self, stage: Stage, seen: Pictures) -> tuple[Tensor, Figures]:
        loss = generator_minimax(self.plain(seen.fake, seen.holes).float())
        return stage.minimax * loss, {"minimax": loss.detach()}

    def _own_loss(self, seen: Pictures) -> Tensor:
        both = torch.cat([seen.real, seen.fake])
        logits = self.net(both, torch.cat([seen.holes, seen.holes]))
        return discriminator_minimax(*logits.float().chunk(2))


class PatchAdversary(Adversary):
    """A light discriminator of patches inside the hole: hinge loss and feature matching."""

    def __init__(self) -> None:
        super().__init__(PatchDiscriminator())

    def _generator_loss(self, stage: Stage, seen: Pictures) -> tuple[Tensor, Figures]:
        logits, features = self.plain(seen.fake)
        with torch.no_grad():
            _, wanted = self.plain(seen.real)
        adversarial = generator_loss(logits.float(), patch_weights(seen.holes, logits.shape[-1]))
        matching = feature_matching(wanted, features)
        figures = {"adv": adversarial.detach(), "match": matching.detach()}
        return stage.adversarial * adversarial + stage.matching * matching, figures

    def _own_loss(self, seen: Pictures) -> Tensor:
        logits, _ = self.net(torch.cat([seen.real, seen.fake]))
        real, fake = logits.float().chunk(2)
        return discriminator_loss(real, fake, patch_weights(seen.holes, logits.shape[-1]))
