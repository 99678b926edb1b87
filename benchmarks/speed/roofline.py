"""Counts the least work of a generator, and what share of a device's ceilings it amounts to."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from benchmarks.speed.device import Ceilings
from inpaint_model.networks.layers import Convolution, flops


@dataclass(frozen=True)
class LeastWork:
    """The least that a network must do.

    Attributes:
        gflop: operations a crop, GFLOP.
        values: numbers that the convolutions read and write for a crop: the least of an engine that runs
            one after another, with all that lies between them done on the way.
        weights: numbers that the convolutions read once a call.
    """

    gflop: float
    values: int
    weights: int

    def shares(
        self, precision: str, batch: int, call_ms: float, ceilings: Ceilings
    ) -> tuple[float, float] | None:
        """Return the shares of the matrix peak and of the memory's bandwidth; None in int8.

        Int8 is another arithmetic than the peak's, and such a file may be pruned.
        """
        if precision == "int8":
            return None
        bytes_each = 4 if precision == "fp32" else 2
        gb = (self.values * batch + self.weights) * bytes_each / 1e9
        seconds = call_ms / 1e3
        gflops = self.gflop * batch / seconds
        return gflops / ceilings.gflops, gb / seconds / ceilings.memory_gb_per_s


def least_work(net: nn.Module) -> LeastWork:
    """Count a generator's work, on crops of 128x128."""
    values, weights = 0, 0

    def count(layer: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        nonlocal values, weights
        values += inputs[0].numel() + output.numel()
        weights += sum(parameter.numel() for parameter in layer.parameters())

    layers = [layer for layer in net.modules() if isinstance(layer, Convolution)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    gflop = flops(net)
    for hook in hooks:
        hook.remove()
    return LeastWork(gflop, values, weights)
