"""Trains the generators: the paper's losses, and L1, perceptual, gradient and light adversarial ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import numpy as np
import torch
from lightning.fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from inpaint_model.errors import UserError
from inpaint_model.networks.fast import FastGenerator
from inpaint_model.networks.paper import PaperGenerator
from trainer.augment.device_sampler import HoleTensors, ResidentFaces
from trainer.augment.generator_samples import draw_hole_batch
from trainer.augment.holes import draw_protocol
from trainer.config import FitConfig, Stage
from trainer.data.face_set import FaceSet
from trainer.evaluate.fill_crops import fill, make_sheet, to_bytes, to_mask, to_tensor
from trainer.evaluate.measures import composited_psnr
from trainer.losses.discriminators import (
    Adversary,
    Figures,
    PaperAdversary,
    PatchAdversary,
    Pictures,
)
from trainer.losses.paper_losses import completion_mse
from trainer.losses.recogniser import Recogniser
from trainer.precision import one_cpu

# A teacher fills crops, uint8 [N, 128, 128, 3], in holes, uint8 [N, 128, 128].
Teacher = Callable[[NDArray[np.uint8], NDArray[np.uint8]], NDArray[np.uint8]]

_LUMA = 0.299, 0.587, 0.114  # Rec. 601


def make_generator(config: FitConfig) -> nn.Module:
    """Make a run's generator, untrained."""
    if config.network == "student":
        return FastGenerator()
    count = {"paper": 2, "glcic": 1}.get(config.network)
    if count is None:
        raise UserError(f"a {config.network} is no generator")
    return PaperGenerator(count, config.width, balance=config.balance)


def counted_l1(fake: Tensor, real: Tensor, counted: Tensor) -> Tensor:
    """Mean absolute difference over the counted pixels."""
    return ((fake - real).abs() * counted).sum() / (3 * counted.sum().clamp_min(1))


def gradient_difference(fake: Tensor, real: Tensor, counted: Tensor) -> Tensor:
    """Mean absolute difference of horizontal and vertical steps at the counted pixels."""
    error = fake - real
    across = (error[..., :, 1:] - error[..., :, :-1]).abs() * counted[..., :, 1:]
    down = (error[..., 1:, :] - error[..., :-1, :]).abs() * counted[..., 1:, :]
    return (across.sum() + down.sum()) / (6 * counted.sum().clamp_min(1))


def colour_difference(fake: Tensor, real: Tensor, counted: Tensor) -> Tensor:
    """Mean absolute difference of the colours, luma taken away, averaged over the counted of 5x5 pixels."""
    error = (fake - real) * counted
    luma = (error * error.new_tensor(_LUMA)[:, None, None]).sum(1, keepdim=True)
    share = functional.avg_pool2d(counted, 5, 2, 2)
    mean = functional.avg_pool2d(error - luma, 5, 2, 2)
    return mean.abs().sum() / (3 * share.sum()).clamp_min(1)


def _taught(samples: HoleTensors, teacher: Teacher, asks: Tensor) -> HoleTensors:
    """Add what a teacher shows of the samples that `asks`, bool [B], says; the others learn from truth.

    Turned heads are the others: the mean of several poses has no sharp outline in front of a profile.
    """
    holes = (samples.holes[asks, 0] > 0).byte().cpu().numpy()
    taught = samples.real.clone()
    taught[asks] = to_tensor(teacher(to_bytes(samples.real[asks]), holes)).to(taught.device)
    follows = samples.holes * asks.to(taught.device)[:, None, None, None]
    return replace(samples, taught=taught, follows=follows)


class GeneratorTask:
    """A generator, its samples, its losses and its judgement.

    Args:
        config: the run.
        train, val: faces.
        recogniser: the perceptual network; None where no stage asks for it.
        teacher: what the stages' `distil` follows; None where the run has no teacher.
    """

    def __init__(
        self,
        config: FitConfig,
        train: FaceSet,
        val: FaceSet,
        recogniser: Recogniser | None,
        teacher: Teacher | None = None,
    ) -> None:
        if recogniser is None and any(stage.perceptual for stage in config.stages):
            raise UserError("this preset needs the recogniser's weights: name --recogniser DIR")
        torch.manual_seed(config.seed)
        self.net: nn.Module = make_generator(config).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.train_count = len(train)
        self.opponents: dict[str, Adversary] = {}
        if any(stage.minimax for stage in config.stages):
            self.opponents["paper"] = PaperAdversary(config.width)
        if any(stage.adversarial or stage.matching for stage in config.stages):
            self.opponents["patch"] = PatchAdversary()
        self._trained, self._recogniser, self._teacher = self.net, recogniser, teacher
        self._config, self._train = config, train
        self._judged = {"": _some(val, config.validation_faces, config.seed)}
        if config.faces:
            self._judged["seen_"] = _some(train.canonical(), config.validation_faces, config.seed)
        self._fabric = one_cpu()
        self._resident: ResidentFaces | None = None

    def setup(
        self, fabric: Fabric, optimiser: torch.optim.Optimizer, compiled: bool
    ) -> torch.optim.Optimizer:
        """Move generator, opponents and recogniser to the run's devices; on a GPU the faces too."""
        self._fabric = fabric
        net = cast(nn.Module, torch.compile(self.net)) if compiled else self.net
        self._trained, optimiser = fabric.setup(net, optimiser)
        for opponent in self.opponents.values():
            opponent.setup(fabric)
        if self._recogniser is not None:
            self._recogniser.to(fabric.device)
        if fabric.device.type == "cuda":
            config = self._config
            seed = config.seed + 1_000_003 * fabric.global_rank
            self._resident = ResidentFaces(
                self._train, fabric.device, config.jitter, config.holes, seed
            )
        return optimiser

    def draw(
        self, stage: Stage, step: int, indices: list[int], rng: np.random.Generator
    ) -> HoleTensors:
        """Draw a batch of crops and holes: on the device where the faces lie there, else here."""
        turned = np.zeros(len(indices), bool)
        if self._resident is not None:
            samples = self._resident.draw(indices, step)
        else:
            config = self._config
            batch = draw_hole_batch(self._train, indices, rng, config.jitter, config.holes)
            tensors = to_tensor(batch.crops), to_mask(batch.holes), to_mask(batch.counted)
            samples = HoleTensors(*tensors, batch.shift)
            turned = batch.turned
        if not stage.distil or self._teacher is None or turned.all():
            return samples
        return _taught(samples, self._teacher, torch.from_numpy(~turned))

    def loss(self, stage: Stage, batch: HoleTensors) -> tuple[Tensor, Figures]:
        """Return the weighted sum of the stage's losses; only known hole pixels count.

        Outside the photograph everything is grey to those who judge: its repeated border would teach
        them, and through them the generator, that streaks below a mouth are right.
        """
        counted = batch.counted
        real = batch.real * (1 - batch.holes + counted)
        pictures = self._pictures(batch)
        out = pictures[-1]
        composite = real + (out - real) * counted
        total, parts = torch.zeros((), device=real.device), {}

        def add(name: str, weight: float, value: Tensor) -> None:
            nonlocal total
            total = total + weight * value
            parts[name] = value.detach()

        if stage.mse:
            add("mse", stage.mse, completion_mse(pictures, real, counted))
        if stage.l1:
            # The last picture is the result; the ones before it are held to the truth at half weight.
            before = [0.5 * counted_l1(picture, real, counted) for picture in pictures[:-1]]
            add("l1", stage.l1, sum(before, counted_l1(out, real, counted)))
        if batch.taught is not None and batch.follows is not None:
            add("distil", stage.distil, counted_l1(out, batch.taught, batch.follows))
        if stage.perceptual:
            add("perceptual", stage.perceptual, self._perceptual(composite, real, batch.shift))
        if stage.gradient:
            add("gradient", stage.gradient, gradient_difference(composite, real, counted))
        if stage.colour:
            add("colour", stage.colour, colour_difference(composite, real, counted))
        for opponent in self._opponents_of(stage):
            value, figures = opponent.judge(stage, Pictures(composite, real, counted))
            total, parts = total + value, parts | figures
        return total, parts

    def _pictures(self, batch: HoleTensors) -> list[Tensor]:
        if isinstance(self.net, PaperGenerator):
            return [p.float() for p in self._trained(batch.real, batch.holes, every=True)]
        return [self._trained(batch.real, batch.holes).float()]

    def _opponents_of(self, stage: Stage) -> list[Adversary]:
        wanted = {"paper": stage.minimax, "patch": stage.adversarial or stage.matching}
        return [opponent for name, opponent in self.opponents.items() if wanted[name]]

    def _perceptual(self, composite: Tensor, real: Tensor, shift: tuple[int, int]) -> Tensor:
        """Distance of the recogniser's feature maps."""
        assert self._recogniser is not None
        rows, columns = slice(shift[0], shift[0] - 4 or None), slice(shift[1], shift[1] - 4 or None)
        fake, true = ((x[..., rows, columns] + 1) * 127.5 for x in (composite, real))
        with self._fabric.autocast():
            return self._recogniser.perceptual_loss(fake, true)

    def after_step(self, stage: Stage) -> Figures:
        """Train the opponents on the pictures of this step."""
        figures: Figures = {}
        for opponent in self._opponents_of(stage):
            figures |= opponent.learn(self._fabric)
        return figures

    def validate(self, net: nn.Module) -> tuple[dict[str, float], NDArray[np.uint8]]:
        """Measure both protocols on held-out faces (and squares on seen ones); draw a sheet."""
        figures: dict[str, float] = {}
        sheet = np.zeros((1, 1, 3), np.uint8)
        for prefix, faces in self._judged.items():
            for kind, name in (("face-mask", "mask_db"), ("paper-squares", "squares_db")):
                holes, counted = draw_protocol(faces, kind, seed=1)
                with self._fabric.autocast():
                    out = fill(net, faces.crops, holes)
                scores = composited_psnr(out, faces.crops, faces.valid)
                figures[prefix + name] = float(scores.mean())
                if not prefix and (kind == "face-mask") == (self._config.holes == "masks"):
                    sheet = make_sheet(faces.crops, holes & counted, out)
        return figures, sheet

    def extra_state(self) -> dict[str, Any]:
        """The opponents and their optimisers."""
        return {name: opponent.state() for name, opponent in self.opponents.items()}

    def load_extra(self, state: dict[str, Any]) -> None:
        """Take the opponents back."""
        for name, opponent in self.opponents.items():
            opponent.load(state[name])


def _some(faces: FaceSet, count: int, seed: int) -> FaceSet:
    """Draw `count` faces, of LFW and CelebA where there are any (UTKFace ends at the chin)."""
    keep = np.isin(faces.source, ["lfw", "celeba"]) if len(faces) else np.zeros(0, bool)
    return (faces.where(keep) if keep.any() else faces).some(count, seed)
