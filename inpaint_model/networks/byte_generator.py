"""Wraps a generator so that it takes and gives bytes, as the ONNX files and the engines do."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from inpaint_model.holes import BESIDE_FACE


class ByteGenerator(nn.Module):
    """A generator with bytes on both sides: normalisation, compositing and rounding inside.

    Bytes are turned into floats first and back last of all: TensorRT takes them nowhere else.

    Args:
        net: a generator with floats on both sides, such as `FastGenerator`.
    """

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, crops: Tensor, holes: Tensor) -> Tensor:
        """Fill the holes.

        Args:
            crops: uint8 [N, 128, 128, 3], RGB.
            holes: uint8 [N, 128, 128], nonzero where to fill (`inpaint_model.holes`).

        Returns:
            uint8 [N, 128, 128, 3], RGB; equal to `crops` outside the holes.
        """
        levels = crops.float()
        numbers = holes.float()
        flags = numbers.clamp(0, 1)
        marks = torch.where(numbers == BESIDE_FACE, numbers, flags)
        floats = levels.permute(0, 3, 1, 2) / 127.5 - 1
        out = self.net(floats, marks.unsqueeze(1))
        filled = torch.round((out + 1) * 127.5).clamp(0, 255).permute(0, 2, 3, 1)
        return torch.where(flags.unsqueeze(-1) > 0, filled, levels).to(torch.uint8)
