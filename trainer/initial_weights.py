"""Initial weights of a run from another run or an exported file; a narrower network is widened."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from inpaint_model.errors import UserError
from inpaint_model.networks.from_onnx import generator_from_onnx
from inpaint_model.networks.paper import Autoencoder, PaperGenerator
from inpaint_model.networks.segmenter import MaskSegmenterNet
from trainer.augment.holes import draw_protocol
from trainer.config import FitConfig
from trainer.data.face_set import FaceSet
from trainer.evaluate.fill_crops import to_mask, to_tensor
from trainer.export.batch_norm_folding import restore_batch_norms
from trainer.export.from_tflite import segmenter_from_tflite
from trainer.fit import load_average
from trainer.generator_task import make_generator
from trainer.runs import RunFolder

_NOISE = 0.02  # relative difference of the two copies of a channel
_FILES = (".onnx", ".tflite")


def load_initial_weights(start: Path, net: nn.Module, config: FitConfig, faces: FaceSet) -> None:
    """Load the weights of another run or file into a network.

    Args:
        start: the folder of another run, whose averaged weights are taken, or an exported file (`.onnx`
            of a generator, `.tflite` of a segmenter). The width of a narrower `paper` or `glcic` is
            doubled until it fits.
        net: the network; changed in place.
        config: its run.
        faces: the faces to train on; they give the batch norms of a file's network their statistics.

    Raises:
        UserError: `start` holds another network, or its width does not double into this one.
    """
    source = load_network(start, config, faces)
    if isinstance(source, PaperGenerator):
        width = source.width
        while source.width * 2 <= config.width:
            source = widened(source)
        if source.width != config.width:
            raise UserError(f"{start}: width {width} does not double into {config.width}")
    if type(source) is not type(net):
        raise UserError(f"{start}: holds another network; this run trains {config.network}")
    try:
        net.load_state_dict(source.state_dict())
    except RuntimeError:
        raise UserError(f"{start}: holds {config.network} of another width") from None


def check_initial_weights(start: Path) -> None:
    """Raise `UserError` if the path holds no run and is no exported file."""
    if start.suffix not in _FILES:
        RunFolder(start).config()
    elif not start.is_file():
        raise UserError(f"{start}: no such file")


def load_network(start: Path, config: FitConfig, faces: FaceSet) -> nn.Module:
    """Load the network of a run folder or of an exported file; see `load_initial_weights`."""
    if start.suffix not in _FILES:
        other = RunFolder(start).config()
        if other.network != config.network:
            raise UserError(f"{start}: holds {other.network}, this run trains {config.network}")
        source = MaskSegmenterNet() if other.network == "segmenter" else make_generator(other)
        load_average(start, source)
        return source
    some = faces.sample(64, config.seed)
    crops = to_tensor(some.crops)
    if start.suffix == ".tflite":
        source = segmenter_from_tflite(start)
        restore_batch_norms(source, crops)
        return source
    source = generator_from_onnx(start)
    restore_batch_norms(source, crops, to_mask(draw_protocol(some, "face-mask", config.seed)[0]))
    return source


def widened(net: PaperGenerator, noise: float = _NOISE) -> PaperGenerator:
    """Double a generator's width without changing its function (Net2Net, Chen et al. 2016).

    Every channel is duplicated, and the weights that read it are halved. A little noise on the halves
    lets training separate the two copies.

    Args:
        net: the generator; not changed.
        noise: relative difference of the two halves.
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
        # (1 + e) / 2 of one copy and (1 - e) / 2 of the other.
        e = noise * torch.randn_like(value)
        value = torch.cat([value * (1 + e) / 2, value * (1 - e) / 2], in_axis)
    return value
