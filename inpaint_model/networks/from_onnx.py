"""Rebuilds a generator's torch network from the weights in its ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from inpaint_model.errors import UserError
from inpaint_model.networks.fast import FastGenerator, fast_widths
from inpaint_model.networks.layers import Convolution, make_identity
from inpaint_model.networks.paper import Autoencoder, PaperGenerator

if TYPE_CHECKING:
    import onnx

_INPUTS, _OUTPUTS = {"crops", "holes"}, {"filled"}


def generator_from_onnx(path: Path) -> FastGenerator | PaperGenerator:
    """Build the torch network, fp32 and in evaluation mode, from the weights in an ONNX file.

    Where the export folded a batch norm into its convolution, the batch norm becomes the identity
    plus the convolution's bias: the network computes the same and can be trained further.

    Args:
        path: a file that `trainer export` wrote, fp32 or fp16.

    Raises:
        UserError: the file is quantised, or holds no generator of this project.
    """
    import onnx

    graph = onnx.load(path).graph
    if any(node.op_type == "DequantizeLinear" for node in graph.node):
        raise UserError(f"{path}: it is quantised, and only a full-precision file will do")
    arrays = _initializers(graph)
    nodes = [node for node in graph.node if node.op_type in ("Conv", "ConvTranspose")]
    norms = {node.input[0]: node for node in graph.node if node.op_type == "BatchNormalization"}
    net = _matching_network(graph, nodes, arrays)
    if net is None:
        raise UserError(f"{path}: it holds no generator of this project")
    modules = list(net.modules())
    for node, layer in zip(nodes, _convolutions(net), strict=True):
        layer.weight.data = arrays[node.input[1]]
        # The exporter leaves out a bias of zeros.
        given = len(node.input) > 2
        bias = arrays[node.input[2]] if given else torch.zeros(layer.out_channels)
        norm = modules[modules.index(layer) + 1]
        if layer.bias is not None:
            layer.bias.data = bias
        elif (norm_node := norms.get(node.output[0])) is not None:
            assert isinstance(norm, nn.BatchNorm2d)
            values = [arrays[name] for name in norm_node.input[1:5]]
            norm.weight.data, norm.bias.data, norm.running_mean, norm.running_var = values
        else:
            assert isinstance(norm, nn.BatchNorm2d)
            make_identity(norm, bias)
    return net.eval()


def _initializers(graph: onnx.GraphProto) -> dict[str, Tensor]:
    """Return the file's arrays by name, in fp32."""
    from onnx import numpy_helper

    arrays = {
        item.name: torch.from_numpy(numpy_helper.to_array(item).astype(np.float32))
        for item in graph.initializer
    }
    for node in graph.node:  # the exporter writes an array that equals another as its copy
        if node.op_type == "Identity" and node.input[0] in arrays:
            arrays[node.output[0]] = arrays[node.input[0]]
    return arrays


def _matching_network(
    graph: onnx.GraphProto, nodes: list[onnx.NodeProto], arrays: dict[str, Tensor]
) -> FastGenerator | PaperGenerator | None:
    """Make the network of this project whose layers have the shapes of the file's, untrained."""
    inputs = {item.name for item in graph.input} - arrays.keys()
    if inputs != _INPUTS or {item.name for item in graph.output} != _OUTPUTS:
        return None
    if not nodes or not all(node.input[1] in arrays for node in nodes):
        return None
    found = [_geometry_of_node(node, arrays) for node in nodes]
    width = len(arrays[nodes[0].input[1]])
    net: FastGenerator | PaperGenerator = FastGenerator(fast_widths(width))
    if len(nodes) != len(_convolutions(net)):
        autoencoders = len(nodes) // len(_convolutions(Autoencoder(2)))
        balance = any(node.op_type == "Pow" for node in graph.node)
        net = PaperGenerator(autoencoders, width, balance=balance)
    return net if found == [_geometry(layer) for layer in _convolutions(net)] else None


def _convolutions(net: nn.Module) -> list[Convolution]:
    return [m for m in net.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]


def _geometry(layer: Convolution) -> tuple[tuple[int, ...], ...]:
    """Weight shape, strides and dilations of a layer: what tells it from another."""
    return tuple(layer.weight.shape), layer.stride, layer.dilation


def _geometry_of_node(
    node: onnx.NodeProto, arrays: dict[str, Tensor]
) -> tuple[tuple[int, ...], ...]:
    given = {item.name: tuple(item.ints) for item in node.attribute}
    strides, dilations = given.get("strides") or (1, 1), given.get("dilations") or (1, 1)
    return tuple(arrays[node.input[1]].shape), strides, dilations
