"""Trains the face aligner on squares with and without a face, masked or bare, turned by any angle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from inpaint_model.networks.face_aligner import SIDE_PX, FaceAlignerNet
from trainer.augment.aligner_samples import AlignerBatch, draw_aligner_batch
from trainer.augment.aligner_views import AlignerViews
from trainer.augment.batch_augment import pack_views
from trainer.augment.view_bank import ViewBank
from trainer.augment.views import records_of
from trainer.config import FitConfig, Stage
from trainer.data.epoch_order import CropCount, seed_of
from trainer.data.face_set import FaceSet
from trainer.losses.aligner_losses import aligner_losses, anchor_points, point_errors

if TYPE_CHECKING:
    from lightning.fabric import Fabric

_REUSE = 20.0  # how many samples are drawn for each drawn face; half of them show it
_FACELESS = 3  # validation squares without a face for each one with a face
_FALSE_ALARMS = 0.01  # share of the squares without a face at which the recall is taken

_Places = Sequence[NDArray[np.uint8]]


def align(net: nn.Module, squares: NDArray[np.uint8], batch: int = 256) -> Tensor:
    """Run the face aligner on squares, uint8 [N, 64, 64, 3]; float32 [N, 6] on the CPU."""
    device = next(net.parameters()).device
    parts = torch.from_numpy(squares).split(batch)
    with torch.no_grad():
        return torch.cat([net(part.to(device).float()).float().cpu() for part in parts])


class AlignerTask:
    """The face aligner with its samples, loss and validation.

    Drawing a face takes longer than placing it in a square: a bank of drawn faces is renewed step by step.

    Args:
        config: the run.
        train, val: faces, with their margin.
        places: photographs without people to train on, uint8 [H, W, 3] RGB; drawn patterns alone if empty.
        val_places: likewise to validate on.
        workers: number of processes that draw faces; None: one a core beside a GPU, and none beside a CPU,
            where the loop's own thread draws them.
    """

    def __init__(
        self,
        config: FitConfig,
        train: FaceSet,
        val: FaceSet,
        places: _Places = (),
        val_places: _Places = (),
        workers: int | None = None,
    ) -> None:
        torch.manual_seed(config.seed)
        self.net: nn.Module = FaceAlignerNet().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.train_count = len(train)
        self._trained = self.net
        self._config, self._train, self._places = config, train, places
        self._workers, self._world = workers, 1
        self._drawn = CropCount(lambda step: config.crops_before(step) // self._world)
        self._bank = self._open_bank(0, 0, wait=True)
        self._faces, self._others = _held_out(config, val, val_places)

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
        workers = self._workers if fabric.device.type == "cuda" else self._workers or 0
        self._bank = self._open_bank(fabric.global_rank, workers, wait=not in_time)
        return optimiser

    def _open_bank(self, rank: int, workers: int | None, *, wait: bool) -> ViewBank:
        return ViewBank(
            self._train,
            torch.device("cpu"),  # OpenCV places the faces
            seed_of(self._config.seed, rank),
            draw=AlignerViews(self._places, self._config.bare_share),
            reuse=_REUSE,
            workers=workers,
            wait=wait,
        )

    def draw(
        self, stage: Stage, step: int, indices: list[int], rng: np.random.Generator
    ) -> AlignerBatch:
        """Draw a batch; of the indices only their number counts, the bank has an order of its own."""
        views, records = self._bank.take(self._drawn.add(step, len(indices)), len(indices))
        colour = self._config.jitter.colour
        return draw_aligner_batch(views.numpy(), records["to_canonical"], self._places, rng, colour)

    def loss(self, stage: Stage, batch: AlignerBatch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the sum of the losses of `aligner_losses`, and each one."""
        squares, wanted = torch.as_tensor(batch.squares), torch.as_tensor(batch.wanted)
        parts = aligner_losses(self._trained(squares.float()).float(), wanted)
        total = torch.stack(list(parts.values())).sum()
        return total, {name: value.detach() for name, value in parts.items()}

    def after_step(self, stage: Stage) -> dict[str, Tensor]:
        """Do nothing: there is no discriminator."""
        return {}

    def validate(self, net: nn.Module, most: int) -> tuple[dict[str, float], NDArray[np.uint8]]:
        """Measure faces found, mask or none and points on held-out faces, and false alarms beside them.

        Returns:
            "recall" of faces where 1 % of the other squares are taken for one, "point_px" (median error of
            the points in crop pixels), "mask" (share of the faces judged rightly); and a sheet.
        """
        squares, wanted = self._faces.squares[:most], torch.from_numpy(self._faces.wanted[:most])
        others = self._others.squares[: most * _FACELESS]
        found, false = align(net, squares), align(net, others)
        threshold = false[:, 0].quantile(1 - _FALSE_ALARMS)
        figures = {
            "recall": (found[:, 0] > threshold).float().mean(),
            "point_px": point_errors(found, wanted).median(),
            "mask": ((found[:, 1] > 0) == (wanted[:, 1] > 0)).float().mean(),
        }
        worst = others[false[:, 0].argsort(descending=True).numpy()]
        sheet = _sheet(squares, anchor_points(found), anchor_points(wanted), worst)
        return {name: float(value) for name, value in figures.items()}, sheet

    def extra_state(self) -> dict[str, Any]:
        """Return nothing: there is no further state."""
        return {}

    def load_extra(self, state: dict[str, Any]) -> None:
        """Do nothing: there is no further state."""


def _held_out(
    config: FitConfig, val: FaceSet, places: _Places
) -> tuple[AlignerBatch, AlignerBatch]:
    """Draw the squares to validate on: one with each held-out face, and some without any."""
    val, rng = val.sample(config.validation_faces, config.seed), np.random.default_rng(1)
    draw = AlignerViews(places, config.bare_share)
    views = [draw(val, index, rng) for index in range(len(val))]
    packed, matrices = pack_views(views).numpy(), records_of(views)["to_canonical"]
    given = places, rng, config.jitter.colour
    faces = draw_aligner_batch(packed, matrices, *given, face_share=1.0)
    packed, matrices = (np.repeat(part, _FACELESS, 0) for part in (packed, matrices))
    return faces, draw_aligner_batch(packed, matrices, *given, face_share=0.0)


def _sheet(
    faces: NDArray[np.uint8], found: Tensor, true: Tensor, others: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Draw faces with their points (found green, true red), and the squares most like a face."""
    tiles = []
    for square, *points in zip(faces[:48], true, found, strict=False):
        tile = cv2.resize(square, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
        for at, colour in zip(points, ((255, 0, 0), (0, 255, 0)), strict=True):
            corners = ((at + 0.5) * 2 * SIDE_PX).round().int().numpy()
            cv2.polylines(tile, [corners], True, colour, 1, cv2.LINE_AA)
        tiles.append(tile)
    tiles += [np.repeat(np.repeat(square, 2, 0), 2, 1) for square in others[:24]]
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % 12)
    rows = [cv2.hconcat(tiles[at : at + 12]) for at in range(0, len(tiles), 12)]
    return np.asarray(cv2.vconcat(rows), np.uint8)
