"""Draws the generator's batches on the training device, whose memory holds drawn views."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from inpaint_model.errors import UserError
from trainer.augment.batch_augment import finish_views, pack_finish, pack_views
from trainer.augment.finish import HOLES, Jitter, random_finish
from trainer.augment.view_bank import ViewBank
from trainer.augment.views import bare_view, records_of
from trainer.data.face_set import FaceSet
from trainer.device_batch import send


@dataclass(frozen=True)
class GeneratorTensors:
    """Samples for the generator on the device; `GeneratorBatch` as tensors.

    Attributes:
        real: float32 [B, 3, 128, 128], channels last, RGB, whole levels of 0..255 as -1..1.
        holes: float32 [B, 1, 128, 128], 1 where to fill, 2 where the generator is told that what to fill
            lies beside the face, else 0.
        valid_holes: float32 [B, 1, 128, 128], 1 at hole pixels inside the photograph, else 0.
        shift: y and x, 0..3 px: offset of the recogniser's input.
        rotated: bool [B], samples with a rotated head.
    """

    real: Tensor
    holes: Tensor
    valid_holes: Tensor
    shift: tuple[int, int]
    rotated: Tensor


class DeviceSampler:
    """Draws batches of the same samples as `draw_generator_batch`, on the device.

    With holes of masks the views, all that needs OpenCV, come from a `ViewBank`; with squares the views
    are the faces themselves, as uint8. The random numbers of the finish are those of `random_finish`,
    and the device applies them. No batch waits for the device: only numbers and new views are sent to it.

    Args:
        faces: the faces, with their margin.
        device: the device.
        jitter: strength of the augmentation.
        holes: "squares" (the paper's) or "masks"; see `draw_generator_batch`.
        seed: fixes the views of the bank.
        capacity, reuse, workers, wait: of the bank; see `ViewBank`.

    Raises:
        UserError: an unknown kind of holes, no faces, or too little memory.
    """

    def __init__(
        self,
        faces: FaceSet,
        device: torch.device,
        jitter: Jitter,
        holes: str,
        seed: int,
        *,
        capacity: int | None = None,
        reuse: float = 2.0,
        workers: int | None = None,
        wait: bool = True,
    ) -> None:
        if holes not in HOLES:
            raise UserError(f"no holes named {holes!r}; there are: {', '.join(HOLES)}")
        if not len(faces):
            raise UserError("no faces to train on")
        self._device, self._jitter, self._holes = device, jitter, holes
        self._bank: ViewBank | None = None
        if holes == "masks":
            bank = {"capacity": capacity, "reuse": reuse, "workers": workers, "wait": wait}
            self._bank = ViewBank(faces, device, seed, **bank)
        else:
            faces = faces.canonical()
            views = [bare_view(faces, index) for index in range(len(faces))]
            self._views, self._records = pack_views(views).to(device), records_of(views)

    @property
    def reuse(self) -> float:
        """How often each drawn view was used so far; 1 with squares, which need none."""
        return 1.0 if self._bank is None else self._bank.reuse

    def close(self) -> None:
        """End the processes that draw views."""
        if self._bank is not None:
            self._bank.close()

    @torch.no_grad()
    def draw(self, faces: Sequence[int], first: int, rng: np.random.Generator) -> GeneratorTensors:
        """Draw the batch of one step.

        Args:
            faces: which faces, [B]. A bank shows the faces in its own order, once an epoch; there only
                their number counts.
            first: number of crops of the run before this batch.
            rng: random generator of the finish.
        """
        if self._bank is not None:
            views, records = self._bank.take(first, len(faces))
        else:
            chosen = np.asarray(faces, np.int64)
            views, records = self._views[send(chosen, self._device)], self._records[chosen]
        finish = random_finish(records, self._jitter, rng, self._holes)
        batch = finish_views(views, send(pack_finish(finish, views.shape[-1]), self._device))
        real = (batch.levels / 127.5 - 1).contiguous(memory_format=torch.channels_last)
        holes, valid_holes = batch.holes | ~batch.valid, batch.holes & batch.valid
        rotated = send(records["rotated"].copy(), self._device)
        marks = holes * (1.0 + batch.beside)
        return GeneratorTensors(real, marks, valid_holes.float(), finish.shift, rotated)
