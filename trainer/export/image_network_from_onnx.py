"""Loads the weights of an exported face aligner or refiner back into its torch network."""

from __future__ import annotations

import copy
from pathlib import Path

import torch
from torch import Tensor, nn

from inpaint_model.errors import UserError
from inpaint_model.networks.face_aligner import FaceAlignerNet
from inpaint_model.networks.layers import fuse_batch_norms
from inpaint_model.networks.refiner import RefinerNet
from trainer.export.batch_norm_folding import folded, unfold_into


def aligner_from_onnx(path: Path) -> FaceAlignerNet:
    """Build the face aligner, fp32 and in evaluation mode, from what `trainer export` wrote.

    Args:
        path: the `.onnx` file.

    Raises:
        UserError: the file is no ONNX file, or holds no face aligner of this project.
    """
    net = FaceAlignerNet().eval()
    fused = copy.deepcopy(net)
    fuse_batch_norms(fused)  # now its weights have the names of those in the file
    _load(fused, path, "face aligner")
    for unit, convolution in zip(net.body, fused.body, strict=True):
        unfold_into(unit, *folded(convolution))
    net.head.load_state_dict(fused.head.state_dict())
    return net


def refiner_from_onnx(path: Path) -> RefinerNet:
    """Build the refiner; see `aligner_from_onnx`."""
    net = RefinerNet().eval()
    _load(net, path, "refiner")
    return net


def _load(net: nn.Module, path: Path, what: str) -> None:
    """Load a file's weights into a network whose weights have the same names."""
    arrays = _initializers(path)
    try:
        # The exporter leaves out a bias of zeros.
        net.load_state_dict(
            {
                name: arrays.get(name, torch.zeros_like(value)) if "bias" in name else arrays[name]
                for name, value in net.state_dict().items()
            }
        )
    except (KeyError, RuntimeError):
        raise UserError(f"{path}: holds no {what} of this project") from None


def _initializers(path: Path) -> dict[str, Tensor]:
    import onnx
    from google.protobuf.message import DecodeError

    try:
        graph = onnx.load(path).graph
    except DecodeError:
        raise UserError(f"{path}: not an ONNX file") from None
    return {
        tensor.name: torch.from_numpy(onnx.numpy_helper.to_array(tensor).copy())
        for tensor in graph.initializer
    }
