"""The teacher of a distillation: a frozen generator on the training device, in two poses."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from inpaint_model.artefacts import SHIPPED_GENERATORS, find_generator
from inpaint_model.networks.from_onnx import generator_from_onnx
from inpaint_model.networks.layers import fuse_batch_norms
from trainer.fit import load_average
from trainer.generator_task import make_generator
from trainer.runs import RunFolder


class Teacher(nn.Module):
    """Fills holes with the mean of a generator's fills of the crop and of its mirror image.

    Args:
        net: a generator with floats on both sides; it is frozen, and its batch norms are fused.
    """

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net.eval()
        fuse_batch_norms(self.net)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.requires_grad_(False).eval()

    @torch.no_grad()
    def forward(self, crops: Tensor, holes: Tensor) -> Tensor:
        """Fill float [N, 3, 128, 128] in [-1, 1] in holes, float [N, 1, 128, 128]; not composited."""
        mirrored = self.net(crops.flip(3), holes.flip(3)).flip(3)
        return (self.net(crops, holes) + mirrored) / 2


def load_teacher(name: str) -> Teacher:
    """Load a teacher: `fast` or `paper` as shipped, an .onnx file, or the average of a run folder.

    Raises:
        UserError: there is no such model, or it is none of this project's generators.
    """
    if name in SHIPPED_GENERATORS or Path(name).suffix == ".onnx":
        return Teacher(generator_from_onnx(find_generator(name).path))
    net = make_generator(RunFolder(Path(name)).config())
    load_average(Path(name), net)
    return Teacher(net)
