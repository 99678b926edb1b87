"""Trains the generators: the paper's losses, and L1, perceptual, gradient, colour and adversarial ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from inpaint_model.errors import UserError
from inpaint_model.holes import mark_beside_face
from inpaint_model.networks.fast import FastGenerator, fast_widths
from inpaint_model.networks.paper import PaperGenerator
from trainer.augment.device_sampler import DeviceSampler, GeneratorTensors
from trainer.augment.generator_samples import draw_generator_batch
from trainer.augment.holes import draw_protocol
from trainer.config import FitConfig, Stage
from trainer.data.epoch_order import CropCount, seed_of
from trainer.data.face_set import FaceSet
from trainer.evaluate.fill_crops import fill, make_sheet, to_mask, to_tensor
from trainer.evaluate.image_similarity import perceptual_distance
from trainer.evaluate.measures import composited_psnr
from trainer.losses.discriminators import (
    Adversary,
    DiscriminatorBatch,
    Metrics,
    PaperAdversary,
    PatchAdversary,
)
from trainer.losses.pixel_losses import masked_l1, pixel_losses
from trainer.losses.recogniser import Recogniser
from trainer.precision import one_cpu

if TYPE_CHECKING:
    from lightning.fabric import Fabric


def make_generator(config: FitConfig) -> nn.Module:
    """Make a run's generator, untrained."""
    if config.network == "fast":
        return FastGenerator(fast_widths(config.width))
    count = {"paper": 2, "glcic": 1}.get(config.network)
    if count is None:
        raise UserError(f"the network {config.network} is no generator")
    return PaperGenerator(count, config.width, balance=config.balance)


class GeneratorTask:
    """A generator with its samples, losses and validation.

    Args:
        config: the run.
        train, val: faces.
        recogniser: the network of the perceptual loss; None if no stage has that loss.
        teacher: the model to distil, from crops and holes to fills (`trainer.teacher.Teacher`); None if
            the run has none.
    """

    def __init__(
        self,
        config: FitConfig,
        train: FaceSet,
        val: FaceSet,
        recogniser: Recogniser | None,
        teacher: nn.Module | None = None,
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
        self._pixel_losses = pixel_losses
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
        net = self.net
        if compiled:
            net = cast(nn.Module, torch.compile(net, dynamic=False))
            self._pixel_losses = torch.compile(pixel_losses, dynamic=False)
        self._trained, optimiser = fabric.setup(net, optimiser)
        for adversary in self.adversaries.values():
            adversary.setup(fabric)
        for frozen in (self._recogniser, self._teacher):
            if frozen is None:
                continue
            frozen.to(fabric.device)
            if compiled:
                frozen.compile(dynamic=False)
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
        if self._sampler is not None:
            return self._sampler.draw(indices, self._drawn.add(step, len(indices)), rng)
        config = self._config
        batch = draw_generator_batch(self._train, indices, rng, config.jitter, config.holes)
        marks = mark_beside_face(batch.holes, ~batch.beside)
        tensors = to_tensor(batch.crops), to_mask(marks), to_mask(batch.valid_holes)
        return GeneratorTensors(*tensors, batch.shift, torch.from_numpy(batch.rotated))

    def loss(self, stage: Stage, batch: GeneratorTensors) -> tuple[Tensor, Metrics]:
        """Return the weighted sum of the stage's losses over hole pixels whose truth is known.

        Pixels outside the photograph are grey to recogniser and discriminators. They repeat the
        photograph's border otherwise, and the generator would learn streaks below mouths from them.
        """
        mask = batch.valid_holes
        real = batch.real * (1 - batch.holes.clamp(max=1) + mask)
        outputs = self._outputs(batch)
        composite, parts = self._pixel_losses(stage, outputs, real, mask)
        if stage.distil and self._teacher is not None:
            parts["distil"] = self._distillation(self._teacher, outputs[-1], batch)
        if stage.perceptual:
            parts["perceptual"] = self._perceptual(composite, real, batch.shift)
        total = torch.zeros((), device=real.device)
        for name, value in parts.items():
            total = total + getattr(stage, name) * value
        parts = {name: value.detach() for name, value in parts.items()}
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

    def _distillation(self, teacher: nn.Module, out: Tensor, batch: GeneratorTensors) -> Tensor:
        """Mean absolute difference from the teacher's fill.

        Rotated heads have no weight: the mean of several poses has no sharp outline in front of a profile.
        """
        with self._fabric.autocast():
            fill = teacher(batch.real, batch.holes).float()
        chosen = batch.holes.clamp(max=1) * ~batch.rotated.view(-1, 1, 1, 1)
        return masked_l1((out - fill) * chosen, chosen)

    def _perceptual(
        self, composite: Tensor, real: Tensor, shift: Tensor | tuple[int, int]
    ) -> Tensor:
        """Distance of the recogniser's feature maps, its grid moved by `shift` pixels."""
        assert self._recogniser is not None
        fake, true = ((_shifted(x, shift) + 1) * 127.5 for x in (composite, real))
        with self._fabric.autocast():
            return self._recogniser(fake, true)

    def after_step(self, stage: Stage) -> Metrics:
        """Train the discriminators on the pictures of this step."""
        metrics: Metrics = {}
        for adversary in self._active_adversaries(stage):
            metrics |= adversary.train_step(self._fabric)
        return metrics

    def validate(self, net: nn.Module, most: int) -> tuple[dict[str, float], NDArray[np.uint8]]:
        """Measure both protocols on held-out faces, and on faces trained on if these are few.

        With a recogniser the distance of its feature maps is measured too, on mask-shaped holes.
        """
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
                if self._recogniser is not None and kind == "face-mask":
                    distances = perceptual_distance(self._recogniser, out, faces.crops)
                    metrics[prefix + "mask_perceptual"] = float(distances.mean())
                if not prefix and (kind == "face-mask") == (self._config.holes == "masks"):
                    sheet = make_sheet(faces.crops, valid_holes, out)
        return metrics, sheet

    def extra_state(self) -> dict[str, Any]:
        """Return the state of the adversaries and their optimisers."""
        return {name: adversary.state_dict() for name, adversary in self.adversaries.items()}

    def load_extra(self, state: dict[str, Any]) -> None:
        """Load what `extra_state` returned, here or in a run that had fewer adversaries."""
        for name in self.adversaries.keys() & state.keys():
            self.adversaries[name].load_state_dict(state[name])


def _shifted(pictures: Tensor, shift: Tensor | tuple[int, int], less_px: int = 4) -> Tensor:
    """Cut a window out of float [N, C, H, W] that has its upper left corner at `shift`, y and x.

    The indices are computed on the device, so that a CUDA graph reads each step's shift.

    Returns:
        float [N, C, H - less_px, W - less_px].
    """
    pictures = pictures.permute(0, 2, 3, 1)
    for axis, start in zip((1, 2), shift, strict=True):
        window = torch.arange(pictures.shape[axis] - less_px, device=pictures.device) + start
        pictures = pictures.index_select(axis, window)
    return pictures.permute(0, 3, 1, 2)


def _validation_faces(faces: FaceSet, config: FitConfig) -> FaceSet:
    """Draw the faces to validate on, of LFW and CelebA if there are any (UTKFace ends at the chin)."""
    keep = np.isin(faces.source, ["lfw", "celeba"]) if len(faces) else np.zeros(0, bool)
    faces = faces.where(keep) if keep.any() else faces
    return faces.sample(config.validation_faces, config.seed)
