"""Trains the mask segmenter on faces with synthetic masks: cross-entropy, Dice loss and distillation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from inpaint_model.networks.segmenter import MaskSegmenterNet
from realtime.segment.segmenter import MaskSegmenter
from realtime.synthetic import Template, random_style, render_mask
from trainer.augment.segmenter_samples import MaskSources, SegmenterBatch, draw_segmenter_batch
from trainer.augment.segmenter_stream import SegmenterChunks, SegmenterStream
from trainer.config import FitConfig, Stage
from trainer.data.epoch_order import CropCount, seed_of
from trainer.data.face_set import FaceSet
from trainer.evaluate.fill_crops import to_tensor
from trainer.evaluate.measures import iou
from trainer.evaluate.picture_rows import in_rows

if TYPE_CHECKING:
    from lightning.fabric import Fabric

_THIN_WEIGHT = 2.0  # of thin parts (ear loops) in the cross-entropy


def segment(net: nn.Module, crops: NDArray[np.uint8], batch: int = 100) -> NDArray[np.float32]:
    """Run the segmenter: uint8 [N, 128, 128, 3] to mask probability, float32 [N, 128, 128]."""
    device = next(net.parameters()).device
    parts = []
    with torch.no_grad():
        for at in range(0, len(crops), batch):
            logits = net(to_tensor(crops[at : at + batch]).to(device)).float()
            parts.append(logits.softmax(1)[:, 1].cpu().numpy())
    return np.concatenate(parts)


class SegmenterTask:
    """The segmenter with its samples, loss and validation.

    Args:
        config: the run.
        train, val: faces.
        sources: mask templates worn in training besides the procedural masks, and places without any.
        val_templates: mask templates for validation alone; procedural masks if empty.
        workers: number of processes that draw samples; None: one a core beside a GPU, and none beside
            a CPU, where the loop's own thread draws them.
        teacher: the segmenter to distil, in both poses; None if there is none.
    """

    def __init__(
        self,
        config: FitConfig,
        train: FaceSet,
        val: FaceSet,
        sources: MaskSources | None = None,
        val_templates: Sequence[Template] = (),
        workers: int | None = None,
        teacher: MaskSegmenter | None = None,
    ) -> None:
        torch.manual_seed(config.seed)
        self.net: nn.Module = MaskSegmenterNet().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.train_count = len(train)
        self._trained = self.net
        self._config, self._train, self._sources = config, train, sources
        self._workers, self._world, self._teacher = workers, 1, teacher
        self._stream: SegmenterStream | None = None
        self._drawn = CropCount(lambda step: config.crops_before(step) // self._world)
        self._bare = val.sample(config.validation_faces, config.seed)
        self._worn = wear_masks(self._bare, val_templates, seed=1)

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
        self._world = fabric.world_size
        config, workers = self._config, self._workers
        if fabric.device.type == "cuda" or workers:
            seed = seed_of(config.seed, fabric.global_rank)
            chunks = SegmenterChunks(
                self._train, seed, config.jitter, self._sources, config.bare_share
            )
            self._stream = SegmenterStream(chunks, workers)
        return optimiser

    def draw(
        self, stage: Stage, step: int, indices: list[int], rng: np.random.Generator
    ) -> SegmenterBatch:
        """Draw a batch of masked and bare faces with their mask pixels."""
        config = self._config
        if self._stream is not None:
            return self._stream.take(self._drawn.add(step, len(indices)), len(indices))
        return draw_segmenter_batch(
            self._train, indices, rng, config.jitter, self._sources, config.bare_share
        )

    def loss(self, stage: Stage, batch: SegmenterBatch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return cross-entropy plus half the soft Dice loss, and the distance from the teacher."""
        crops, masks, valid = map(torch.as_tensor, (batch.crops, batch.masks, batch.valid))
        pictures = crops.permute(0, 3, 1, 2) / 127.5 - 1
        pictures = pictures.contiguous(memory_format=torch.channels_last)
        logits = self._trained(pictures).float()
        parts = segmentation_losses(logits, masks, valid)
        total = parts["entropy"] + 0.5 * parts["dice"]
        if stage.distil and self._teacher is not None:
            taught = [self._teacher.in_both_poses(crop) for crop in crops.cpu().numpy()]
            parts["distil"] = distillation_loss(logits, torch.from_numpy(np.stack(taught)), valid)
            total = total + stage.distil * parts["distil"]
        return total, {name: value.detach() for name, value in parts.items()}

    def after_step(self, stage: Stage) -> dict[str, Tensor]:
        """Do nothing: there is no discriminator."""
        return {}

    def validate(self, net: nn.Module, most: int) -> tuple[dict[str, float], NDArray[np.uint8]]:
        """Measure IoU on held-out faces with masks, and false alarms on the same faces without."""
        worn, masks = self._worn.crops[:most], self._worn.masks[:most]
        found = segment(net, worn) > 0.5
        false = segment(net, self._bare.crops[:most]) > 0.5
        figures = {
            "iou": float(iou(found, masks).mean()),
            "bare_false_share": float((false.mean((1, 2)) > 0.01).mean()),
        }
        return figures, _sheet(worn, found, masks)

    def extra_state(self) -> dict[str, Any]:
        """Return nothing: there is no further state."""
        return {}

    def load_extra(self, state: dict[str, Any]) -> None:
        """Do nothing: there is no further state."""


def segmentation_losses(logits: Tensor, masks: Tensor, valid: Tensor) -> dict[str, Tensor]:
    """Cross-entropy and soft Dice loss over the pixels inside the photograph, by name.

    Ear loops have few pixels, which count twice in the cross-entropy.

    Args:
        logits: float [N, 2, H, W]: background, mask.
        masks: bool [N, H, W].
        valid: bool [N, H, W], True inside the photograph.
    """
    wanted, inside = masks.float(), valid.float()
    weight = inside * (1 + (_THIN_WEIGHT - 1) * thin_parts(wanted))
    margin = logits[:, 1] - logits[:, 0]  # the softmax of two logits is the sigmoid of this
    entropy = _cross_entropy(margin, wanted, weight)
    found, wanted = margin.sigmoid() * inside, wanted * inside
    both = (found * wanted).sum((1, 2))
    dice = 1 - (2 * both + 50) / (found.sum((1, 2)) + wanted.sum((1, 2)) + 50)
    return {"entropy": entropy, "dice": dice.mean()}


def distillation_loss(logits: Tensor, taught: Tensor, valid: Tensor) -> Tensor:
    """Cross-entropy with a teacher's probabilities over the pixels inside the photograph.

    Args:
        logits: float [N, 2, H, W]: background, mask.
        taught: float [N, H, W], probability of mask, 0..1.
        valid: bool [N, H, W], True inside the photograph.
    """
    margin = logits[:, 1] - logits[:, 0]
    return _cross_entropy(margin, taught.to(margin.device), valid.float())


def _cross_entropy(margin: Tensor, wanted: Tensor, weight: Tensor) -> Tensor:
    """Mean over pixels with a weight each, all float [N, H, W]."""
    total = functional.binary_cross_entropy_with_logits(margin, wanted, weight, reduction="sum")
    return total / weight.sum().clamp_min(1)


def thin_parts(masks: Tensor, width_px: int = 5) -> Tensor:
    """Return the parts of masks, float [N, H, W] of 0 and 1, thinner than `width_px`; the same shape."""
    eroded = 1 - _dilated(1 - masks, width_px)
    return masks - _dilated(eroded, width_px)


def _dilated(masks: Tensor, width_px: int) -> Tensor:
    """Dilate masks, float [N, H, W], by a square, one axis after the other."""
    half = width_px // 2
    rows = functional.max_pool2d(masks, (width_px, 1), 1, (half, 0))
    return functional.max_pool2d(rows, (1, width_px), 1, (0, half))


def wear_masks(faces: FaceSet, templates: Sequence[Template], seed: int) -> SegmenterBatch:
    """Put a mask on every face: a template if there are any, else a procedural one."""
    rng = np.random.default_rng(seed)
    worn = [
        render_mask(
            crop, landmarks, random_style(rng, templates, template_share=float(bool(templates)))
        )
        for crop, landmarks in zip(faces.crops, faces.landmarks, strict=True)
    ]
    masks = np.stack([item.alpha > 0 for item in worn])
    return SegmenterBatch(np.stack([item.image_rgb for item in worn]), masks, np.ones_like(masks))


def _sheet(
    crops: NDArray[np.uint8], found: NDArray[np.bool_], true: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """Draw masked crops above their masks: found green, missed red, false yellow."""
    painted = crops.copy()
    painted[found] //= 2
    painted[found] += np.array([0, 127, 0], np.uint8)
    painted[true & ~found] = (255, 0, 0)
    painted[found & ~true] = (255, 255, 0)
    return in_rows(crops, painted, columns=12, most=48)
