"""Begins a run from the weights of another, widened where that one is narrower."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from inpaint_model.errors import UserError
from inpaint_model.generator import Autoencoder, PaperGenerator
from trainer.config import FitConfig
from trainer.fit import load_average
from trainer.generator_task import make_generator
from trainer.runs import RunFolder

_NOISE = 0.02


def begin_from(run: Path, net: nn.Module, config: FitConfig) -> None:
    """Load another run's averaged weights into a new network.

    Args:
        run: the folder of the other run: a generator of the same kind, or a narrower one of the
            paper's, which is then widened twofold until it fits.
        net: the network to begin with; changed in place.
        config: its run.

    Raises:
        UserError: the other run trained another network, or its width does not double into this one.
    """
    other = RunFolder(run).config()
    if other.network != config.network:
        raise UserError(f"{run}: holds a {other.network}, this run trains a {config.network}")
    source = make_generator(other)
    load_average(run, source)
    if isinstance(source, PaperGenerator):
        while source.width * 2 <= config.width:
            source = widened(source)
        if source.width != config.width:
            raise UserError(f"{run}: width {other.width} does not double into {config.width}")
    net.load_state_dict(source.state_dict())


def widened(net: PaperGenerator, noise: float = _NOISE) -> PaperGenerator:
    """Double a generator's width without changing what it computes (Net2Net, Chen et al. 2016).

    Every channel is there twice; what reads the two weighs each by a half, give or take `noise` of
    it, so that training can tell the twins apart.

    Args:
        net: the generator; not changed.
        noise: the relative difference between twins.
    """
    wide = PaperGenerator(len(net.autoencoders), 2 * net.width, balance=net.balance)
    for ours, theirs in zip(wide.autoencoders, net.autoencoders, strict=True):
        assert isinstance(ours, Autoencoder) and isinstance(theirs, Autoencoder)
        last = len(theirs) - 1
        for index, (new, old) in enumerate(zip(ours, theirs, strict=True)):
            state = old.state_dict()
            for name, value in state.items():
                state[name] = _doubled(name, value, old, index == 0, index == last, noise)
            new.load_state_dict(state)
    return wide


def _doubled(
    name: str, value: Tensor, layer: nn.Module, first: bool, last: bool, noise: float
) -> Tensor:
    if value.ndim == 0:
        return value
    if value.ndim == 1:
        return value if last else torch.cat([value, value])
    transposed = isinstance(next(layer.modules()), nn.Sequential) and isinstance(
        next(layer.children()), nn.ConvTranspose2d
    )
    out_axis, in_axis = (1, 0) if transposed else (0, 1)
    if not last:
        value = torch.cat([value, value], out_axis)
    if not first:
        # Read by halves that differ: (1 + e) / 2 of one twin and (1 - e) / 2 of the other.
        lean = noise * torch.randn_like(value)
        value = torch.cat([value * (1 + lean) / 2, value * (1 - lean) / 2], in_axis)
    return value
