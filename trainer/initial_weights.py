"""Initial weights of a run from another run or an exported file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from inpaint_model.errors import UserError
from inpaint_model.networks.from_onnx import generator_from_onnx
from trainer.augment.holes import draw_protocol
from trainer.augment.segmenter_samples import draw_segmenter_batch
from trainer.config import FitConfig
from trainer.data.face_set import FaceSet
from trainer.evaluate.fill_crops import to_mask, to_tensor
from trainer.export.batch_norm_folding import restore_batch_norms
from trainer.export.from_tflite import segmenter_from_tflite
from trainer.export.image_network_export import squares_of
from trainer.export.image_network_from_onnx import aligner_from_onnx, refiner_from_onnx
from trainer.fit import Task, load_average
from trainer.networks import make_network
from trainer.runs import RunFolder

_FILES = (".onnx", ".tflite")
_SAMPLES = 192  # that give a segmenter's batch norms their statistics


def load_initial_weights(start: Path, net: nn.Module, config: FitConfig, faces: FaceSet) -> None:
    """Load the weights of another run or file into a network.

    Args:
        start: the folder of another run, whose averaged weights are taken, or an exported file (`.onnx`
            of a generator, face aligner or refiner, `.tflite` of a segmenter).
        net: the network; changed in place.
        config: its run.
        faces: the faces to train on; they give the batch norms of a file's network their statistics.

    Raises:
        UserError: `start` holds another network, or one of another width.
    """
    source = _load_network(start, config, faces)
    if type(source) is not type(net):
        raise UserError(f"{start}: holds another network; this run trains {config.network}")
    try:
        net.load_state_dict(source.state_dict())
    except RuntimeError:
        raise UserError(f"{start}: holds {config.network} of another width") from None


def load_initial_adversaries(start: Path, task: Task) -> None:
    """Load another run's discriminators, if `start` is the folder of a run that had the task's own.

    A discriminator that begins anew has little to say for thousands of steps.
    """
    if start.suffix not in _FILES:
        task.load_extra(RunFolder(start).load_extra())


def check_initial_weights(start: Path) -> None:
    """Raise `UserError` if the path holds no run and is no exported file."""
    if start.suffix not in _FILES:
        RunFolder(start).config()
    elif not start.is_file():
        raise UserError(f"{start}: no such file")


def _load_network(start: Path, config: FitConfig, faces: FaceSet) -> nn.Module:
    """Load the network of a run folder or of an exported file; see `load_initial_weights`."""
    if start.suffix not in _FILES:
        other = RunFolder(start).config()
        if other.network != config.network:
            raise UserError(f"{start}: holds {other.network}, this run trains {config.network}")
        source = make_network(other)
        load_average(start, source)
        return source
    if start.suffix == ".tflite":
        source = segmenter_from_tflite(start)
        restore_batch_norms(source, _segmenter_samples(config, faces))
        return source
    if config.network == "refiner":
        return refiner_from_onnx(start)
    some = faces.sample(64, config.seed)
    crops = to_tensor(some.crops)
    if config.network == "aligner":
        source = aligner_from_onnx(start)
        restore_batch_norms(source, torch.from_numpy(squares_of(some.crops)))
        return source
    source = generator_from_onnx(start)
    restore_batch_norms(source, crops, to_mask(draw_protocol(some, "face-mask", config.seed)[0]))
    return source


def _segmenter_samples(config: FitConfig, faces: FaceSet) -> Tensor:
    """Draw samples as in training: channels that answer to masks alone are still on bare faces."""
    rng = np.random.default_rng(config.seed)
    indices = rng.integers(0, len(faces), _SAMPLES).tolist()
    batch = draw_segmenter_batch(faces, indices, rng, config.jitter, bare_share=config.bare_share)
    return to_tensor(batch.crops)
