"""Narrows a trained generator of the paper's: merges channels, then refits each layer to the data."""

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

SHARES = (1 / 4, 5 / 16, 3 / 8, 1 / 2)
"""Widths to try, as shares of the full one, the narrowest first."""
MOST_COST_DB = 0.05
_FIT_CROPS = 48


@dataclass
class _Flow:
    """What flows through the two networks between two layers, one entry a batch of crops.

    Attributes:
        full, narrow: float [n, C, H, W] and [n, K, H, W].
        mixtures: float32 [K, C]: how the narrow channels are made of the full ones.
    """

    full: list[Tensor]
    narrow: list[Tensor]
    mixtures: Tensor


def narrowest(
    net: PaperGenerator,
    crops: NDArray[np.uint8],
    holes: NDArray[np.bool_],
    *,
    most_cost_db: float = MOST_COST_DB,
) -> PaperGenerator | None:
    """Find the narrowest generator that still fills about as well, or None where none does.

    Args:
        net: the trained generator; not changed.
        crops: uint8 [N, 128, 128, 3], RGB, bare faces; the first 48 (of fewer, half) are what the
            narrow networks are fitted to, the others measure them.
        holes: bool [N, 128, 128].
        most_cost_db: what narrowing may cost, mean PSNR of the composited crops.
    """
    count = min(_FIT_CROPS, len(crops) // 2)
    rest, rest_holes = crops[count:], holes[count:]

    def quality(generator: nn.Module) -> float:
        return float(composited_psnr(fill(generator, rest, rest_holes), rest).mean())

    wanted = quality(net) - most_cost_db
    for width in sorted({2 * round(net.width * share / 2) for share in SHARES} - {0, net.width}):
        small = narrowed(net, width, crops[:count], holes[:count])
        if quality(small) >= wanted:
            return small
    return None


@torch.no_grad()
def narrowed(
    net: PaperGenerator, width: int, crops: NDArray[np.uint8], holes: NDArray[np.bool_]
) -> PaperGenerator:
    """Make a narrower generator that computes nearly the same, without training.

    Layer by layer: channels that are alike on these crops are merged (`trainer.export.channel_merging`),
    and the narrow layer's weights are the ridge regression of the merged channels' values, before the ReLU,
    on what the narrow network itself has computed so far (`trainer.export.refit`).

    Args:
        net: the trained generator; not changed.
        width: channels of the narrow one's first layer: even, below the net's.
        crops: uint8 [N, 128, 128, 3], RGB: real ones, 32 to 64 are enough.
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
        flow = _Flow(_with(full, masks), _with(narrow, masks), torch.eye(4))
        _narrow_one(old, new, flow)
        full = _composited(known, flow.full, masks)
        narrow = _composited(known, flow.narrow, masks)
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


def _with(pictures: list[Tensor], masks: list[Tensor]) -> list[Tensor]:
    return [torch.cat([x, m], 1) for x, m in zip(pictures, masks, strict=True)]


def _composited(known: list[Tensor], pictures: list[Tensor], masks: list[Tensor]) -> list[Tensor]:
    return [k + p * m for k, p, m in zip(known, pictures, masks, strict=True)]


def _narrow_one(old: Autoencoder, new: Autoencoder, flow: _Flow) -> None:
    """Fill the narrow autoencoder's layers in; `flow` goes from its input to its picture."""
    layers = list(zip(old, new, strict=True))
    for index, (theirs, ours) in enumerate(layers):
        last = index == len(layers) - 1
        outputs = convolution_of(ours).out_channels
        before = [_run(theirs, x) for x in flow.full]
        after = before if last else [functional.relu(y) for y in before]
        reading = None if last else _reading(old[index + 1])
        mixtures = torch.eye(outputs) if reading is None else _mixtures(after, reading, outputs)
        wanted = [torch.einsum("kc,nchw->nkhw", mixtures, y) for y in before]
        refit = Refit(convolution_of(ours))
        for x, y in zip(flow.narrow, wanted, strict=True):
            refit.add(x, y)
        weight, bias = refit.solve(*_merged(theirs, flow, mixtures))
        unfold_into(ours, weight, bias)
        flow.narrow = [ours(x) for x in flow.narrow]
        flow.full, flow.mixtures = after, mixtures


def _run(layer: nn.Module, x: Tensor) -> Tensor:
    """A unit's value before its ReLU."""
    parts = list(layer.children()) or [layer]
    for part in parts:
        if not isinstance(part, nn.ReLU):
            x = part(x)
    return x


def _reading(layer: nn.Module) -> Tensor:
    """How much a layer makes of each of its inputs; float [C]."""
    conv = convolution_of(layer)
    weight, _ = folded(layer)
    if not isinstance(conv, nn.ConvTranspose2d):
        weight = weight.transpose(0, 1)
    return weight.flatten(1).norm(dim=1)


def _mixtures(after: list[Tensor], reading: Tensor, keep: int) -> Tensor:
    """Choose the mixtures of a layer's channels, float32 [keep, C]; alike channels weigh alike."""
    gram = torch.zeros(len(reading), len(reading), dtype=torch.float64)
    for a in after:
        flat = a.transpose(0, 1).flatten(1) * reading[:, None]
        gram += (flat @ flat.T).double()
    found = merge_channels(gram, keep).float()
    mixtures = found * reading
    return mixtures / mixtures.norm(dim=1, keepdim=True).clamp_min(1e-12)


def _merged(layer: nn.Module, flow: _Flow, mixtures: Tensor) -> tuple[Tensor, Tensor]:
    """The full layer's weights as they fall on merged channels: where the regression begins.

    A merged input stands for each of its channels in the proportion the data show.
    """
    weight, bias = folded(layer)
    transposed = isinstance(convolution_of(layer), nn.ConvTranspose2d)
    if transposed:
        weight = weight.transpose(0, 1)
    shares = _shares(flow)
    weight = torch.einsum("kc,cdyx,dj->kjyx", mixtures, weight, shares)
    return (weight.transpose(0, 1) if transposed else weight).contiguous(), mixtures @ bias


def _shares(flow: _Flow) -> Tensor:
    """How much of each full channel a merged one stands for: least squares; float [C, K]."""
    top = torch.zeros(flow.mixtures.shape[1], len(flow.mixtures))
    below = torch.zeros(len(flow.mixtures))
    for full, narrow in zip(flow.full, flow.narrow, strict=True):
        a, b = full.transpose(0, 1).flatten(1), narrow.transpose(0, 1).flatten(1)
        top += a @ b.T
        below += b.square().sum(1)
    return top / below.clamp_min(1e-12) * (flow.mixtures.T > 0)
