"""Prunes a trained `paper` generator: merges channels, then refits each layer to data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from inpaint_model.errors import UserError
from inpaint_model.networks.colour_balance import ColourBalance
from inpaint_model.networks.paper import Autoencoder, PaperGenerator
from trainer.evaluate.fill_crops import fill, to_mask, to_tensor
from trainer.evaluate.measures import composited_psnr
from trainer.export.batch_norm_folding import convolution_of, folded, unfold_into
from trainer.export.channel_merging import merge_channels
from trainer.export.refit import Refit

WIDTH_SHARES = (1 / 4, 5 / 16, 3 / 8, 1 / 2)  # widths to try, as shares of the full width
MAX_COST_DB = 0.05  # of mean PSNR
_FIT_CROPS = 48  # crops that layers are fitted to


@dataclass
class _Activations:
    """Activations of both networks between two layers, one entry a batch of crops.

    Attributes:
        full, narrow: float [n, C, H, W] and [n, K, H, W].
        mixtures: float32 [K, C], the mixtures of full channels that the narrow ones approximate.
    """

    full: list[Tensor]
    narrow: list[Tensor]
    mixtures: Tensor


def prune_generator(
    net: PaperGenerator,
    crops: NDArray[np.uint8],
    holes: NDArray[np.bool_],
    *,
    max_cost_db: float = MAX_COST_DB,
) -> PaperGenerator | None:
    """Return the narrowest pruned generator within the cost, or None if there is none.

    Args:
        net: the trained generator; not changed.
        crops: uint8 [N, 128, 128, 3], RGB, bare faces; the first 48 (at most half) fit the narrow
            networks, the others measure them.
        holes: bool [N, 128, 128].
        max_cost_db: largest loss of mean PSNR of the composited crops.
    """
    count = min(_FIT_CROPS, len(crops) // 2)
    rest, rest_holes = crops[count:], holes[count:]

    def quality(generator: nn.Module) -> float:
        return float(composited_psnr(fill(generator, rest, rest_holes), rest).mean())

    wanted = quality(net) - max_cost_db
    for width in sorted(
        {2 * round(net.width * share / 2) for share in WIDTH_SHARES} - {0, net.width}
    ):
        small = prune_to_width(net, width, crops[:count], holes[:count])
        if quality(small) >= wanted:
            return small
    return None


@torch.no_grad()
def prune_to_width(
    net: PaperGenerator, width: int, crops: NDArray[np.uint8], holes: NDArray[np.bool_]
) -> PaperGenerator:
    """Make a narrower generator that computes nearly the same, without training.

    In each layer, similar channels are merged (`trainer.export.channel_merging`). A ridge regression then
    fits the narrow layer to the merged channels, before their ReLU, from the narrow network's own
    activations (`trainer.export.refit`).

    Args:
        net: the trained generator; not changed.
        width: channels of the narrow network's first layer: even, below the net's.
        crops: uint8 [N, 128, 128, 3], RGB, real crops; 32 to 64 are enough.
        holes: bool [N, 128, 128].

    Returns:
        The narrow generator, in evaluation mode.

    Raises:
        UserError: the width is odd or not below the net's.
    """
    if width % 2 or not 0 < width < net.width:
        raise UserError(f"width must be even and below the network's {net.width}, not {width}")
    net = net.eval().float()
    small = PaperGenerator(len(net.autoencoders), width, balance=net.balance).eval()
    given, masks = _balanced(net, crops, holes)
    known = [x * (1 - m) for x, m in zip(given, masks, strict=True)]
    full, narrow = known, known
    for old, new in zip(net.autoencoders, small.autoencoders, strict=True):
        assert isinstance(old, Autoencoder) and isinstance(new, Autoencoder)
        activations = _Activations(
            _append_masks(full, masks), _append_masks(narrow, masks), torch.eye(4)
        )
        _prune_autoencoder(old, new, activations)
        full = _composited(known, activations.full, masks)
        narrow = _composited(known, activations.narrow, masks)
    return small


def _balanced(
    net: PaperGenerator, crops: NDArray[np.uint8], holes: NDArray[np.bool_], batch: int = 8
) -> tuple[list[Tensor], list[Tensor]]:
    given, masks = [], []
    for at in range(0, len(crops), batch):
        floats, mask = to_tensor(crops[at : at + batch]), to_mask(holes[at : at + batch])
        if net.balance:
            floats = ((floats + 1) * ColourBalance()((floats + 1) / 2, mask) - 1).clamp(-1, 1)
        given.append(floats)
        masks.append(mask)
    return given, masks


def _append_masks(pictures: list[Tensor], masks: list[Tensor]) -> list[Tensor]:
    return [torch.cat([x, m], 1) for x, m in zip(pictures, masks, strict=True)]


def _composited(known: list[Tensor], pictures: list[Tensor], masks: list[Tensor]) -> list[Tensor]:
    return [k + p * m for k, p, m in zip(known, pictures, masks, strict=True)]


def _prune_autoencoder(old: Autoencoder, new: Autoencoder, activations: _Activations) -> None:
    """Set the narrow autoencoder's layers; `activations` goes from its input to its output."""
    layers = list(zip(old, new, strict=True))
    for index, (theirs, ours) in enumerate(layers):
        last = index == len(layers) - 1
        outputs = convolution_of(ours).out_channels
        before = [_before_relu(theirs, x) for x in activations.full]
        after = before if last else [functional.relu(y) for y in before]
        reading = None if last else _input_weight_norms(old[index + 1])
        mixtures = torch.eye(outputs) if reading is None else _mixtures(after, reading, outputs)
        wanted = [torch.einsum("kc,nchw->nkhw", mixtures, y) for y in before]
        refit = Refit(convolution_of(ours))
        for x, y in zip(activations.narrow, wanted, strict=True):
            refit.add(x, y)
        weight, bias = refit.solve(*_prior(theirs, activations, mixtures))
        unfold_into(ours, weight, bias)
        activations.narrow = [ours(x) for x in activations.narrow]
        activations.full, activations.mixtures = after, mixtures


def _before_relu(layer: nn.Module, x: Tensor) -> Tensor:
    """Run a unit without its ReLU."""
    parts = list(layer.children()) or [layer]
    for part in parts:
        if not isinstance(part, nn.ReLU):
            x = part(x)
    return x


def _input_weight_norms(layer: nn.Module) -> Tensor:
    """Return the norm of a layer's weights for each input channel; float [C]."""
    conv = convolution_of(layer)
    weight, _ = folded(layer)
    if not isinstance(conv, nn.ConvTranspose2d):
        weight = weight.transpose(0, 1)
    return weight.flatten(1).norm(dim=1)


def _mixtures(after: list[Tensor], reading: Tensor, keep: int) -> Tensor:
    """Choose the mixtures of a layer's channels, weighted as they are read; float32 [keep, C]."""
    gram = torch.zeros(len(reading), len(reading), dtype=torch.float64)
    for a in after:
        flat = a.transpose(0, 1).flatten(1) * reading[:, None]
        gram += (flat @ flat.T).double()
    found = merge_channels(gram, keep).float()
    mixtures = found * reading
    return mixtures / mixtures.norm(dim=1, keepdim=True).clamp_min(1e-12)


def _prior(layer: nn.Module, activations: _Activations, mixtures: Tensor) -> tuple[Tensor, Tensor]:
    """Project the full layer's weights onto the merged channels: the prior of the regression."""
    weight, bias = folded(layer)
    transposed = isinstance(convolution_of(layer), nn.ConvTranspose2d)
    if transposed:
        weight = weight.transpose(0, 1)
    shares = _shares(activations)
    weight = torch.einsum("kc,cdyx,dj->kjyx", mixtures, weight, shares)
    return (weight.transpose(0, 1) if transposed else weight).contiguous(), mixtures @ bias


def _shares(activations: _Activations) -> Tensor:
    """Least-squares factors from merged to full channels; float [C, K]."""
    top = torch.zeros(activations.mixtures.shape[1], len(activations.mixtures))
    below = torch.zeros(len(activations.mixtures))
    for full, narrow in zip(activations.full, activations.narrow, strict=True):
        a, b = full.transpose(0, 1).flatten(1), narrow.transpose(0, 1).flatten(1)
        top += a @ b.T
        below += b.square().sum(1)
    return top / below.clamp_min(1e-12) * (activations.mixtures.T > 0)
