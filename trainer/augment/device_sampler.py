"""Draws the generator's batches on the training device, whose memory holds all faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from inpaint_model.errors import UserError
from trainer.augment.batch_augment import (
    MAX_RADIUS_PX,
    dilate,
    ellipse_kernels,
    inside_frame,
    recolour,
    shift_holes,
    squares,
    unpack_masks,
    warp_flags,
    warp_grid,
    warp_pictures,
)
from trainer.augment.generator_samples import FRAME_CUT_SHARE, FRAME_EDGES, Jitter
from trainer.augment.hole_bank import PACKED_BYTES, HoleBank, silhouettes_per_face
from trainer.data.face_set import FaceSet

HOLES = ("squares", "masks")

_REDRAW_EVERY = 500  # steps
# Probabilities of what happens to a sample, and ranges (both ends included) of its whole numbers in pixels.
_CHANCES = {"flip": 0.5, "grey": 0.05, "square": 0.15, "shift": 0.25, "union": 0.5}
_CHANCES |= {"cut": FRAME_CUT_SHARE, **{edge: share for edge, (share, _, _) in FRAME_EDGES.items()}}
_RANGES = {"side": (24, 48), "radius": (1, MAX_RADIUS_PX), "right": (-10, 10), "down": (-4, 10)}
_RANGES |= {edge: (low, high - 1) for edge, (_, low, high) in FRAME_EDGES.items()}


@dataclass(frozen=True)
class GeneratorTensors:
    """Samples for the generator on the device; `GeneratorBatch` as tensors.

    Attributes:
        real: float32 [B, 3, 128, 128], channels last, RGB, whole levels of 0..255 as -1..1.
        holes: float32 [B, 1, 128, 128], 1 where to fill, else 0.
        valid_holes: float32 [B, 1, 128, 128], 1 at hole pixels inside the photograph, else 0.
        shift: y and x, 0..3 px: offset of the recogniser's input.
        teacher_fill: the teacher's fill of the crops, as `real`; None without a teacher.
        distil_mask: as `holes`, 1 where the teacher's fill is the target; None without a teacher.
    """

    real: Tensor
    holes: Tensor
    valid_holes: Tensor
    shift: tuple[int, int]
    teacher_fill: Tensor | None = None
    distil_mask: Tensor | None = None


class DeviceSampler:
    """A face set in the device's memory that draws augmented batches there.

    Samples are distributed as those of `draw_generator_batch`. A batch depends only on the seed and the
    step, so that a resumed run sees the same batches on the same type of device. No step waits for the
    device; only indices and redrawn silhouettes are sent to it.

    Args:
        faces: the faces; on the CPU their crops are shared, not copied.
        device: the device; it holds 64 KiB a face and 2 KiB a silhouette.
        jitter: strength of the augmentation.
        holes: "squares" (one upright square of side 24-48 px anywhere in the crop, the paper's) or
            "masks" (15 % squares, else silhouettes of worn masks dilated by 1-6 px, a quarter of them
            shifted; 30 % of the crops are cut off by a picture's edge). Pixels outside the photograph
            are hole too.
        seed: fixes every random draw.
        per_face: silhouettes kept for each face; None lets the number of faces decide.
        redraw_every: steps after which other processes redraw one silhouette of each face; 0: never;
            None: 500 on a GPU, and 0 on the CPU, whose cores are busy.
        workers: processes that draw silhouettes, as in `HoleBank`.

    Raises:
        UserError: an unknown kind of holes, or no faces.
    """

    def __init__(
        self,
        faces: FaceSet,
        device: torch.device,
        jitter: Jitter,
        holes: str,
        seed: int,
        *,
        per_face: int | None = None,
        redraw_every: int | None = None,
        workers: int | None = None,
    ) -> None:
        if holes not in HOLES:
            raise UserError(f"no holes named {holes!r}; there are: {', '.join(HOLES)}")
        if not len(faces):
            raise UserError("no faces to train on")
        faces = faces.canonical()
        if redraw_every is None:
            redraw_every = _REDRAW_EVERY if device.type == "cuda" else 0
        self._device, self._jitter, self._seed = device, jitter, seed
        self._crops = torch.from_numpy(faces.crops).to(device)
        self._valid = torch.from_numpy(faces.valid).to(device)
        self._generator = torch.Generator(device)
        self._chances = torch.tensor(list(_CHANCES.values()), device=device)
        self._lows, self._highs = torch.tensor(list(_RANGES.values()), device=device).unbind(1)
        self._bank: HoleBank | None = None
        if holes == "masks":
            columns = per_face or silhouettes_per_face(len(faces))
            shape = (columns, len(faces), PACKED_BYTES)
            self._silhouettes = torch.empty(shape, dtype=torch.uint8, device=device)
            self._kernels = ellipse_kernels(device)
            self._bank = HoleBank(faces.landmarks, seed, columns, workers)
            self._redraw_every, self._generation = redraw_every, -1

    def __len__(self) -> int:
        return len(self._crops)

    def close(self) -> None:
        """End the processes that draw silhouettes; batches can still be drawn."""
        if self._bank is not None:
            self._bank.close()

    @torch.no_grad()
    def draw(
        self, indices: Sequence[int] | Tensor | None, step_seed: int, *, batch: int = 0
    ) -> GeneratorTensors:
        """Draw the batch of one step.

        Args:
            indices: which faces, int [B]; None draws them on the device.
            step_seed: the step's number, from 0; with the seed it fixes the batch. Any order of steps is
                possible, but jumps redraw silhouettes.
            batch: B, if `indices` is None.
        """
        seeds = np.random.SeedSequence([self._seed, step_seed]).generate_state(3, np.uint64)
        self._generator.manual_seed(int(seeds[0]))
        chosen = self._face_indices(indices, batch)
        normal = self._normal(len(chosen), 10)
        chance, number, share = self._draw_numbers(len(chosen))
        grid = warp_grid(normal[:, :4], chance["flip"], self._jitter)
        levels = self._crops[chosen].permute(0, 3, 1, 2)
        levels = levels.to(torch.float32, memory_format=torch.contiguous_format)
        levels = warp_pictures(levels, grid)
        levels = recolour(levels, normal[:, 4:], chance["grey"], self._jitter.colour)
        holes = squares(number["side"], share[:, :2])
        valid = self._valid[chosen]
        if self._bank is None:
            valid = warp_flags(valid.unsqueeze(1), grid)
            holes = holes.unsqueeze(1)
        else:
            self._refresh_silhouettes(self._bank, step_seed)
            masks = self._silhouette_holes(chosen, share[:, 2], chance, number)
            holes = torch.where(chance["square"].view(-1, 1, 1), holes, masks)
            flags = warp_flags(torch.stack([holes, valid], 1), grid)
            holes, valid = flags[:, :1], flags[:, 1:]
        if self._bank is not None:
            cut = chance["cut"].view(-1, 1, 1, 1)
            valid = valid & (inside_frame(chance, number, valid.shape[-1]) | ~cut)
        marked = holes | ~valid
        real = levels.round_().div_(127.5).sub_(1).contiguous(memory_format=torch.channels_last)
        shift = int(seeds[1] % 4), int(seeds[2] % 4)
        return GeneratorTensors(real, marked.float(), (holes & valid).float(), shift)

    def _face_indices(self, indices: Sequence[int] | Tensor | None, batch: int) -> Tensor:
        """Indices of the faces on the device, int64 [B]."""
        if indices is None:
            if batch < 1:
                raise ValueError("without indices, batch says how many faces to draw")
            return torch.randint(
                len(self), (batch,), generator=self._generator, device=self._device
            )
        chosen = torch.as_tensor(indices, dtype=torch.int64)
        if self._device.type == "cuda" and not chosen.is_cuda:
            chosen = chosen.pin_memory()
        return chosen.to(self._device, non_blocking=True)

    def _normal(self, count: int, width: int) -> Tensor:
        """Standard normal draws clipped at two, float [count, width]."""
        shape = (count, width)
        return torch.randn(shape, generator=self._generator, device=self._device).clamp_(-2, 2)

    def _draw_numbers(self, count: int) -> tuple[dict[str, Tensor], dict[str, Tensor], Tensor]:
        """Draw events bool [count] and whole numbers int64 [count] by name, and shares float [count, 3]."""
        width = len(_CHANCES) + len(_RANGES) + 3
        draw = torch.rand((count, width), generator=self._generator, device=self._device)
        chance, number, share = draw.split([len(_CHANCES), len(_RANGES), 3], 1)
        whole = (number * (self._highs - self._lows + 1)).long() + self._lows
        hit = chance < self._chances
        return (
            dict(zip(_CHANCES, hit.unbind(1), strict=True)),
            dict(zip(_RANGES, whole.unbind(1), strict=True)),
            share,
        )

    def _silhouette_holes(
        self,
        chosen: Tensor,
        share: Tensor,
        chance: dict[str, Tensor],
        number: dict[str, Tensor],
    ) -> Tensor:
        """Draw silhouettes of the chosen faces, dilated and some shifted; bool [B, 128, 128]."""
        column = (share * len(self._silhouettes)).long()
        masks = unpack_masks(self._silhouettes[column, chosen])
        masks = dilate(masks, self._kernels, number["radius"])
        down, right = (
            number["down"] * chance["shift"],
            number["right"] * chance["shift"],
        )
        return shift_holes(masks, down, right, chance["union"])

    def _refresh_silhouettes(self, bank: HoleBank, step: int) -> None:
        """Update the silhouettes to the step's generation and prefetch the next one."""
        generation = step // self._redraw_every if self._redraw_every else 0
        if generation == self._generation:
            return
        for column, packed in bank.updated_columns(generation):
            self._silhouettes[column].copy_(torch.from_numpy(packed))
        self._generation = generation
        if self._redraw_every:
            bank.prefetch(generation + 1)
        else:
            bank.close()
