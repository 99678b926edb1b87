"""Trains the generators: the paper's losses, and L1, perceptual, gradient, colour and adversarial ones."""

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
from trainer.augment.device_sampler import DeviceSampler, GeneratorTensors
from trainer.augment.generator_samples import draw_generator_batch
from trainer.augment.holes import draw_protocol
from trainer.config import FitConfig, Stage
from trainer.data.epoch_order import CropCount, seed_of
from trainer.data.face_set import FaceSet
from trainer.evaluate.fill_crops import fill, make_sheet, to_bytes, to_mask, to_tensor
from trainer.evaluate.measures import composited_psnr
from trainer.losses.discriminators import (
    Adversary,
    DiscriminatorBatch,
    Metrics,
    PaperAdversary,
    PatchAdversary,
)
from trainer.losses.paper_losses import completion_mse
from trainer.losses.recogniser import Recogniser
from trainer.precision import one_cpu

# A teacher fills crops, uint8 [N, 128, 128, 3], in holes, uint8 [N, 128, 128].
Teacher = Callable[[NDArray[np.uint8], NDArray[np.uint8]], NDArray[np.uint8]]

_LUMA = 0.299, 0.587, 0.114  # Rec. 601


def make_generator(config: FitConfig) -> nn.Module:
    """Make a run's generator, untrained."""
    if config.network == "fast":
        return FastGenerator()
    count = {"paper": 2, "glcic": 1}.get(config.network)
    if count is None:
        raise UserError(f"the network {config.network} is no generator")
    return PaperGenerator(count, config.width, balance=config.balance)


def masked_l1(fake: Tensor, real: Tensor, mask: Tensor) -> Tensor:
    """Mean absolute difference of float [N, 3, H, W] over the pixels of a mask, float [N, 1, H, W]."""
    return ((fake - real).abs() * mask).sum() / (3 * mask.sum().clamp_min(1))


def gradient_loss(fake: Tensor, real: Tensor, mask: Tensor) -> Tensor:
    """Mean absolute difference of the horizontal and vertical image gradients; see `masked_l1`."""
    error = fake - real
    across = (error[..., :, 1:] - error[..., :, :-1]).abs() * mask[..., :, 1:]
    down = (error[..., 1:, :] - error[..., :-1, :]).abs() * mask[..., 1:, :]
    return (across.sum() + down.sum()) / (6 * mask.sum().clamp_min(1))


def colour_loss(fake: Tensor, real: Tensor, mask: Tensor) -> Tensor:
    """Mean absolute difference of chroma (colour minus luma), averaged over 5x5 pixels of the mask."""
    error = (fake - real) * mask
    luma = (error * error.new_tensor(_LUMA)[:, None, None]).sum(1, keepdim=True)
    share = functional.avg_pool2d(mask, 5, 2, 2)
    mean = functional.avg_pool2d(error - luma, 5, 2, 2)
    return mean.abs().sum() / (3 * share.sum()).clamp_min(1)


def _add_teacher_fills(
    samples: GeneratorTensors, teacher: Teacher, chosen: Tensor
) -> GeneratorTensors:
    """Add the teacher's fills of the chosen samples, bool [B]; the others learn from the truth alone.

    Rotated heads are not chosen: the teacher's self-ensemble has no sharp outline in front of a profile.
    """
    holes = (samples.holes[chosen, 0] > 0).byte().cpu().numpy()
    fills = samples.real.clone()
    fills[chosen] = to_tensor(teacher(to_bytes(samples.real[chosen]), holes)).to(fills.device)
    distil_mask = samples.holes * chosen.to(fills.device)[:, None, None, None]
    return replace(samples, teacher_fill=fills, distil_mask=distil_mask)


class GeneratorTask:
    """A generator with its samples, losses and validation.

    Args:
        config: the run.
        train, val: faces.
        recogniser: the network of the perceptual loss; None if no stage has that loss.
        teacher: the model to distil; None if the run has none.
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
        self.adversaries: dict[str, Adversary] = {}
        if any(stage.minimax for stage in config.stages):
            self.adversaries["paper"] = PaperAdversary(config.width)
        if any(stage.adversarial or stage.matching for stage in config.stages):
            self.adversaries["patch"] = PatchAdversary()
        self._trained, self._recogniser, self._teacher = self.net, recogniser, teacher
        self._config, self._train = config, train
        # The faces to validate on, by the prefix of their metrics' names.
        self._validation = {"": _validation_faces(val, config)}
        if config.faces:
            self._validation["seen_"] = _validation_faces(train.canonical(), config)
        self._fabric = one_cpu()
        self._sampler: DeviceSampler | None = None
        self._drawn = CropCount(lambda step: config.crops_before(step) // self._fabric.world_size)

    def setup(
        self,
        fabric: Fabric,
        optimiser: torch.optim.Optimizer,
        compiled: bool,
        *,
        in_time: bool = False,
    ) -> torch.optim.Optimizer:
        """Move generator, adversaries and recogniser to the run's devices; a GPU draws samples too."""
        self._fabric = fabric
        net = cast(nn.Module, torch.compile(self.net)) if compiled else self.net
        self._trained, optimiser = fabric.setup(net, optimiser)
        for adversary in self.adversaries.values():
            adversary.setup(fabric)
        if self._recogniser is not None:
            self._recogniser.to(fabric.device)
        if fabric.device.type == "cuda":
            config = self._config
            seed = seed_of(config.seed, fabric.global_rank)
            self._sampler = DeviceSampler(
                self._train,
                fabric.device,
                config.jitter,
                config.holes,
                seed,
                wait=not in_time,
            )
        return optimiser

    def draw(
        self, stage: Stage, step: int, indices: list[int], rng: np.random.Generator
    ) -> GeneratorTensors:
        """Draw a batch of crops and holes, on the GPU if the run has one."""
        config = self._config
        if self._sampler is not None:
            first = self._drawn.add(step, len(indices))
            samples = self._sampler.draw(indices, first, rng)
        else:
            batch = draw_generator_batch(self._train, indices, rng, config.jitter, config.holes)
            tensors = to_tensor(batch.crops), to_mask(batch.holes), to_mask(batch.valid_holes)
            samples = GeneratorTensors(*tensors, batch.shift, torch.from_numpy(batch.rotated))
        if not stage.distil or self._teacher is None or bool(samples.rotated.all()):
            return samples
        return _add_teacher_fills(samples, self._teacher, ~samples.rotated)

    def loss(self, stage: Stage, batch: GeneratorTensors) -> tuple[Tensor, Metrics]:
        """Return the weighted sum of the stage's losses over hole pixels whose truth is known.

        Pixels outside the photograph are grey to recogniser and discriminators. They repeat the
        photograph's border otherwise, and the generator would learn streaks below mouths from them.
        """
        mask = batch.valid_holes
        real = batch.real * (1 - batch.holes + mask)
        outputs = self._outputs(batch)
        out = outputs[-1]
        composite = real + (out - real) * mask
        total, parts = torch.zeros((), device=real.device), {}

        def add(name: str, weight: float, value: Tensor) -> None:
            nonlocal total
            total = total + weight * value
            parts[name] = value.detach()

        if stage.mse:
            add("mse", stage.mse, completion_mse(outputs, real, mask))
        if stage.l1:
            # The last output is the result; those of earlier autoencoders have half the weight.
            earlier = [0.5 * masked_l1(output, real, mask) for output in outputs[:-1]]
            add("l1", stage.l1, sum(earlier, masked_l1(out, real, mask)))
        if batch.teacher_fill is not None and batch.distil_mask is not None:
            add("distil", stage.distil, masked_l1(out, batch.teacher_fill, batch.distil_mask))
        if stage.perceptual:
            add("perceptual", stage.perceptual, self._perceptual(composite, real, batch.shift))
        if stage.gradient:
            add("gradient", stage.gradient, gradient_loss(composite, real, mask))
        if stage.colour:
            add("colour", stage.colour, colour_loss(composite, real, mask))
        judged = DiscriminatorBatch(composite, real, mask)
        for adversary in self._active_adversaries(stage):
            value, metrics = adversary.generator_loss(stage, judged)
            total, parts = total + value, parts | metrics
        return total, parts

    def _outputs(self, batch: GeneratorTensors) -> list[Tensor]:
        """The picture of each autoencoder, float [N, 3, 128, 128]; of `fast` there is one."""
        if isinstance(self.net, PaperGenerator):
            return [p.float() for p in self._trained(batch.real, batch.holes, every=True)]
        return [self._trained(batch.real, batch.holes).float()]

    def _active_adversaries(self, stage: Stage) -> list[Adversary]:
        wanted = {"paper": stage.minimax, "patch": stage.adversarial or stage.matching}
        return [adversary for name, adversary in self.adversaries.items() if wanted[name]]

    def _perceptual(self, composite: Tensor, real: Tensor, shift: tuple[int, int]) -> Tensor:
        """Distance of the recogniser's feature maps, its grid moved by `shift` pixels."""
        assert self._recogniser is not None
        rows, columns = slice(shift[0], shift[0] - 4 or None), slice(shift[1], shift[1] - 4 or None)
        fake, true = ((x[..., rows, columns] + 1) * 127.5 for x in (composite, real))
        with self._fabric.autocast():
            return self._recogniser.perceptual_loss(fake, true)

    def after_step(self, stage: Stage) -> Metrics:
        """Train the discriminators on the pictures of this step."""
        metrics: Metrics = {}
        for adversary in self._active_adversaries(stage):
            metrics |= adversary.train_step(self._fabric)
        return metrics

    def validate(self, net: nn.Module, most: int) -> tuple[dict[str, float], NDArray[np.uint8]]:
        """Measure both protocols on held-out faces, and on faces trained on if these are few."""
        metrics: dict[str, float] = {}
        sheet = np.zeros((1, 1, 3), np.uint8)
        for prefix, all_faces in self._validation.items():
            faces = all_faces.where(np.arange(len(all_faces)) < most)
            for kind, name in (("face-mask", "mask_db"), ("paper-squares", "squares_db")):
                holes, valid_holes = draw_protocol(faces, kind, seed=1)
                with self._fabric.autocast():
                    out = fill(net, faces.crops, holes)
                scores = composited_psnr(out, faces.crops, faces.valid)
                metrics[prefix + name] = float(scores.mean())
                if not prefix and (kind == "face-mask") == (self._config.holes == "masks"):
                    sheet = make_sheet(faces.crops, valid_holes, out)
        return metrics, sheet

    def extra_state(self) -> dict[str, Any]:
        """Return the state of the adversaries and their optimisers."""
        return {name: adversary.state_dict() for name, adversary in self.adversaries.items()}

    def load_extra(self, state: dict[str, Any]) -> None:
        """Load what `extra_state` returned."""
        for name, adversary in self.adversaries.items():
            adversary.load_state_dict(state[name])


def _validation_faces(faces: FaceSet, config: FitConfig) -> FaceSet:
    """Draw the faces to validate on, of LFW and CelebA if there are any (UTKFace ends at the chin)."""
    keep = np.isin(faces.source, ["lfw", "celeba"]) if len(faces) else np.zeros(0, bool)
    faces = faces.where(keep) if keep.any() else faces
    return faces.sample(config.validation_faces, config.seed)
