"""The paper's generator: a chain of the autoencoders of its Table 1 (torch definition)."""

from __future__ import annotations

from typing import Literal, overload

import torch
from torch import Tensor, nn

from inpaint_model.networks.colour_balance import ColourBalance
from inpaint_model.networks.layers import ConvUnit, UpUnit


class Autoencoder(nn.Sequential):
    """One autoencoder: the 18 layers of the paper's Table 1, in its order.

    Twelve convolutions, four dilated ones and two deconvolutions. The table prints no strides,
    normalisation or activations; docs/paper.md says what was decided. The last layer is linear.

    Args:
        width: channels of the first layer; 64 is the paper's, and gives 6.1 million parameters.
    """

    def __init__(self, width: int = 64) -> None:
        w1, w2, w4 = width, 2 * width, 4 * width
        super().__init__(
            ConvUnit(4, w1, 5),
            ConvUnit(w1, w1),
            ConvUnit(w1, w2, stride=2),
            ConvUnit(w2, w2),
            ConvUnit(w2, w4, stride=2),
            ConvUnit(w4, w4),
            ConvUnit(w4, w4),
            ConvUnit(w4, w4, dilation=2),
            ConvUnit(w4, w4, dilation=4),
            ConvUnit(w4, w4, dilation=8),
            ConvUnit(w4, w4, dilation=16),
            ConvUnit(w4, w4),
            ConvUnit(w4, w4),
            UpUnit(w4, w2),
            ConvUnit(w2, w2),
            UpUnit(w2, w1),
            ConvUnit(w1, w1 // 2),
            nn.Conv2d(w1 // 2, 3, 3, padding=1),
        )
        self.width = width


class PaperGenerator(nn.Module):
    """A chain of autoencoders: each is given the crop with the previous output inside the hole.

    Two autoencoders are the paper's method (12.2 million parameters, 35 GFLOP a crop); one alone is
    its baseline, the completion network of Iizuka et al. 2017 ("GLCIC"). The convolutions may be in
    fp16 while crops and holes are in fp32 (`inpaint_model.networks.layers.half_convolutions`).

    Args:
        autoencoders: number of autoencoders.
        width: channels of the first layer of each.
        balance: move the crop's colours towards usual skin before filling and back after
            (`inpaint_model.networks.colour_balance`); not in the paper.
    """

    def __init__(self, autoencoders: int = 2, width: int = 64, *, balance: bool = False) -> None:
        super().__init__()
        self.autoencoders = nn.ModuleList(Autoencoder(width) for _ in range(autoencoders))
        self.balance = balance
        self.colour_balance = ColourBalance()

    @property
    def width(self) -> int:
        """Channels of each autoencoder's first layer."""
        first = self.autoencoders[0]
        assert isinstance(first, Autoencoder)
        return first.width

    @overload
    def forward(self, crops: Tensor, holes: Tensor) -> Tensor: ...

    @overload
    def forward(self, crops: Tensor, holes: Tensor, every: Literal[True]) -> list[Tensor]: ...

    def forward(self, crops: Tensor, holes: Tensor, every: bool = False) -> Tensor | list[Tensor]:
        """Fill the holes.

        Args:
            crops: float [N, 3, 128, 128], RGB in [-1, 1].
            holes: float [N, 1, 128, 128], 1 or more where to fill.
            every: return the outputs of all autoencoders.

        Returns:
            float [N, 3, 128, 128], RGB about [-1, 1]: the last autoencoder's output, not composited;
            with `every` a list of the outputs of all, first to last.
        """
        holes = holes.clamp(max=1)  # without what lies beside the face
        gains = self.colour_balance((crops + 1) / 2, holes) if self.balance else None
        given = crops if gains is None else ((crops + 1) * gains - 1).clamp(-1, 1)
        known = given * (1 - holes)
        filled, outputs = known, []
        for autoencoder in self.autoencoders:
            output = self._run(autoencoder, torch.cat([filled, holes], 1))
            filled = known + output * holes
            outputs.append(output if gains is None else (output + 1) / gains - 1)
        return outputs if every else outputs[-1]

    def _run(self, autoencoder: nn.Module, given: Tensor) -> Tensor:
        dtype = next(autoencoder.parameters()).dtype
        if dtype == given.dtype:  # the exporter would write a cast even to the same type
            return autoencoder(given)
        return autoencoder(given.to(dtype)).to(given.dtype)
