"""Loads the weights of an exported generator back into its torch network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from inpaint_model.errors import UserError
from inpaint_model.networks.fast import FastGenerator
from inpaint_model.networks.paper import PaperGenerator
from trainer.export.batch_norm_folding import make_identity

if TYPE_CHECKING:
    import onnx

_AUTOENCODER_LAYERS = 18


def network_of(path: Path) -> nn.Module:
    """Build the torch network, fp32 and in evaluation mode, from the weights an exported file holds.

    Where export folded a batch norm into its convolution, the norm comes back as the identity with
    the convolution's bias, so that the network computes the same and can be trained on.

    Args:
        path: what `trainer export` wrote, fp32 or fp16.

    Raises:
        UserError: the file is quantised, or holds no generator of this project.
    """
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(path).graph
    if any(node.op_type == "DequantizeLinear" for node in graph.node):
        raise UserError(f"{path}: is quantised; its weights cannot be trained on")
    arrays = {
        item.name: torch.from_numpy(numpy_helper.to_array(item).astype(np.float32))
        for item in graph.initializer
    }
    for node in graph.node:  # an array equal to another is written as its copy
        if node.op_type == "Identity" and node.input[0] in arrays:
            arrays[node.output[0]] = arrays[node.input[0]]
    found = [node for node in graph.node if node.op_type in ("Conv", "ConvTranspose")]
    norms = {node.input[0]: node for node in graph.node if node.op_type == "BatchNormalization"}
    balance = any(node.op_type == "Pow" for node in graph.node)
    net = _empty([arrays[node.input[1]] for node in found], balance, path)
    modules = list(net.modules())
    layers = [m for m in modules if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
    for node, layer in zip(found, layers, strict=True):
        weight = arrays[node.input[1]]
        if weight.shape != layer.weight.shape:
            raise UserError(f"{path}: layer {node.name} is not of a generator of this project")
        layer.weight.data = weight
        bias = arrays[node.input[2]] if len(node.input) > 2 else None
        if layer.bias is not None:
            assert bias is not None
            layer.bias.data = bias
        else:
            norm = modules[modules.index(layer) + 1]
            assert isinstance(norm, nn.BatchNorm2d)
            _set_norm(norm, bias, norms.get(node.output[0]), arrays)
    return net.eval()


def _empty(weights: Sequence[Tensor], balance: bool, path: Path) -> nn.Module:
    """Make the network whose layers these are, with weights yet to come."""
    autoencoders, rest = divmod(len(weights), _AUTOENCODER_LAYERS)
    student = FastGenerator()
    layers = [m for m in student.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
    if [w.shape for w in weights] == [layer.weight.shape for layer in layers]:
        return student
    if autoencoders and not rest:
        return PaperGenerator(autoencoders, len(weights[0]), balance=balance)
    raise UserError(f"{path}: holds no generator of this project")


def _set_norm(
    norm: nn.BatchNorm2d,
    bias: Tensor | None,
    node: onnx.NodeProto | None,
    arrays: dict[str, Tensor],
) -> None:
    if node is None:  # folded into the convolution: all that is left is its bias
        assert bias is not None
        make_identity(norm, bias)
        return
    values = [arrays[name] for name in node.input[1:5]]
    norm.weight.data, norm.bias.data, norm.running_mean, norm.running_var = values
