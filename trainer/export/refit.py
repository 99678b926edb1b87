"""Fits one convolution to data: ridge regression of wanted outputs on given inputs."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

_RIDGE = 1e-3  # relative to the mean of the diagonal
_MAX_PIXELS = 2048  # drawn from each crop
_TAPS = ((1, 3), (0, 2))  # taps of a transposed 4x4 kernel that write even and odd pixels


class Refit:
    """Accumulates and solves the normal equations of a convolution.

    A transposed 4x4 convolution of stride 2 is four 2x2 convolutions, one for each parity of the output
    pixel, with a regression each.

    Args:
        conv: a `Conv2d`, or a `ConvTranspose2d` of kernel 4, stride 2 and padding 1.
        seed: random seed of the choice of pixels.
    """

    def __init__(self, conv: nn.Conv2d | nn.ConvTranspose2d, seed: int = 0) -> None:
        self._conv = conv
        self._transposed = isinstance(conv, nn.ConvTranspose2d)
        taps = 4 if self._transposed else conv.kernel_size[0] * conv.kernel_size[1]
        size, parities = conv.in_channels * taps + 1, 4 if self._transposed else 1
        self._xx = torch.zeros(parities, size, size, dtype=torch.float64)
        self._xy = torch.zeros(parities, size, conv.out_channels, dtype=torch.float64)
        self._random = torch.Generator().manual_seed(seed)

    def add(self, given: Tensor, wanted: Tensor) -> None:
        """Add the pixels of crops.

        Args:
            given: float [N, inputs, H, W], inputs of the convolution.
            wanted: float [N, outputs, H', W'], the wanted outputs.
        """
        for x, y in zip(given, wanted, strict=True):
            for parity, (columns, targets) in enumerate(self._views(x[None], y[None])):
                chosen = torch.randperm(columns.shape[1], generator=self._random)[:_MAX_PIXELS]
                columns, targets = columns[:, chosen], targets[:, chosen]
                columns = torch.cat([columns, torch.ones_like(columns[:1])])
                self._xx[parity] += columns @ columns.T
                self._xy[parity] += columns @ targets.T

    def solve(self, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """Return the weight and bias that fit the data; the ridge penalises the distance from given ones.

        Args:
            weight: in the convolution's shape.
            bias: float [outputs].
        """
        solved = []
        for parity, prior in enumerate(self._split(weight)):
            begin = torch.cat([prior, bias[:, None]], 1).T.double()
            xx, xy = self._xx[parity], self._xy[parity]
            ridge = _RIDGE * xx.diagonal().mean() * torch.eye(len(xx), dtype=torch.float64)
            solved.append(begin + torch.linalg.solve(xx + ridge, xy - xx @ begin))
        table = torch.stack(solved).float()  # [parities, size, outputs]
        return self._join(table[:, :-1].transpose(1, 2)), table[:, -1].mean(0)

    def _views(self, x: Tensor, y: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Return columns [inputs x taps, pixels] and targets [outputs, pixels] for each parity."""
        conv = self._conv
        if not self._transposed:
            assert isinstance(conv.padding, tuple)
            columns = functional.unfold(
                x, conv.kernel_size, conv.dilation, conv.padding, conv.stride
            )
            return [(columns[0], y[0].flatten(1))]
        padded = functional.pad(x, (1, 1, 1, 1))
        height, width = x.shape[2:]
        views = []
        for row in (0, 1):
            for column in (0, 1):
                part = padded[:, :, row : row + height + 1, column : column + width + 1]
                views.append((functional.unfold(part, 2)[0], y[0, :, row::2, column::2].flatten(1)))
        return views

    def _split(self, weight: Tensor) -> list[Tensor]:
        """Split a weight into tables [outputs, inputs x taps], one for each parity."""
        if not self._transposed:
            return [weight.flatten(1)]
        # The 2x2 window's first pixel is read through the later tap.
        return [
            weight[:, :, _TAPS[row][::-1]][:, :, :, _TAPS[column][::-1]].transpose(0, 1).flatten(1)
            for row in (0, 1)
            for column in (0, 1)
        ]

    def _join(self, tables: Tensor) -> Tensor:
        """Undo `_split`."""
        if not self._transposed:
            return tables[0].reshape(self._conv.weight.shape)
        weight = torch.empty_like(self._conv.weight)
        parts = iter(tables)
        for row in (0, 1):
            for column in (0, 1):
                part = next(parts).reshape(weight.shape[1], weight.shape[0], 2, 2).transpose(0, 1)
                for i, y in enumerate(_TAPS[row][::-1]):
                    for j, x in enumerate(_TAPS[column][::-1]):
                        weight[:, :, y, x] = part[:, :, i, j]
        return weight
