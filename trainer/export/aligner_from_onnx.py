"""Loads the weights of an exported face aligner back into its torch network."""

from __future__ import annotations

import copy
from pathlib import Path

import torch
from torch import Tensor

from inpaint_model.errors import UserError
from inpaint_model.networks.face_aligner import FaceAlignerNet
from inpaint_model.networks.layers import fuse_batch_norms
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
    arrays = _initializers(path)
    try:
        # The exporter leaves out a bias of zeros.
        fused.load_state_dict(
            {
                name: arrays.get(name, torch.zeros_like(value)) if "bias" in name else arrays[name]
                for name, value in fused.state_dict().items()
            }
        )
    except (KeyError, RuntimeError):
        raise UserError(f"{path}: holds no face aligner of this project") from None
    for unit, convolution in zip(net.body, fused.body, strict=True):
        unfold_into(unit, *folded(convolution))
    net.head.load_state_dict(fused.head.state_dict())
    return net


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
