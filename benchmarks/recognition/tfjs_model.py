"""Turns a frozen network of TensorFlow.js into an ONNX model: the few operations of face recognisers."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from inpaint_model.errors import UserError

PICTURE = "picture"
"""The input's name: float32 [N, 3, H, W]."""
_OPSET = 18
_ELEMENTWISE = {
    "Add": "Add",
    "AddV2": "Add",
    "Mul": "Mul",
    "Sub": "Sub",
    "Minimum": "Min",
    "Maximum": "Max",
    "Relu": "Relu",
    "Placeholder": "Identity",
}
_PADDING = {"SAME": "SAME_UPPER", "VALID": "VALID"}
_MAP_AXES = "axes of a map"
Tensors = dict[str, NDArray[Any]]


def tfjs_to_onnx(
    graph: bytes, weights: bytes, output: str, side_px: int, before: tuple[NodeProto, ...] = ()
) -> onnx.ModelProto:
    """Convert a network from pictures to embeddings; layouts become those of ONNX, channels first.

    Args:
        graph: a graph model of TensorFlow.js, JSON.
        weights: its weights in one piece: float32, float16 or int32.
        output: the node that gives the embedding.
        side_px: side of the square pictures that the model takes, pixels.
        before: ONNX nodes that prepare the pictures, in order; the first takes `PICTURE`, and the network
            takes what the last one gives.

    Returns:
        A model from `PICTURE`, float32 [N, 3, side, side], to float32 [N, D].

    Raises:
        UserError: an operation of the graph is not known here.
    """
    document = json.loads(graph)
    tensors = _decode(document["weightsManifest"][0]["weights"], weights)
    nodes = {node["name"]: node for node in document["modelTopology"]["node"]}
    made, used = list(before), _needed(nodes, output)
    picture = before[-1].output[0] if before else PICTURE
    for name in (name for name in nodes if name in used):
        made += _converted(nodes[name], tensors, picture)
    made.append(helper.make_node("Flatten", [output], ["embedding"]))
    taken = {name for node in made for name in node.input}
    constants = [
        numpy_helper.from_array(np.ascontiguousarray(value), name)
        for name, value in tensors.items()
        if name in taken
    ]
    shapes = {PICTURE: ["N", 3, side_px, side_px], "embedding": ["N", "D"]}
    ends = [helper.make_tensor_value_info(k, TensorProto.FLOAT, v) for k, v in shapes.items()]
    network = helper.make_graph(made, "recogniser", ends[:1], ends[1:], constants)
    model = helper.make_model(network, opset_imports=[helper.make_opsetid("", _OPSET)])
    onnx.checker.check_model(model)
    return model


def _needed(nodes: Mapping[str, Any], output: str) -> set[str]:
    """The nodes that the output depends on."""
    found: set[str] = set()
    ahead = [output]
    while ahead:
        name = ahead.pop()
        if name not in found and nodes[name]["op"] != "Const":
            found.add(name)
            ahead += _inputs(nodes[name])
    return found


def _inputs(node: Mapping[str, Any]) -> list[str]:
    return [name.split(":")[0] for name in node.get("input", [])]


def _decode(manifest: list[dict[str, Any]], weights: bytes) -> Tensors:
    """Read the tensors by name; one value a channel becomes [C, 1, 1]."""
    tensors: Tensors = {}
    at = 0
    for entry in manifest:
        dtype = np.dtype(entry.get("quantization", entry)["dtype"]).newbyteorder("<")
        count = math.prod(entry["shape"])
        values = np.frombuffer(weights, dtype, count, at).reshape(entry["shape"])
        values = values.astype(np.float32 if dtype.kind == "f" else np.int64)
        tensors[entry["name"]] = values.reshape(-1, 1, 1) if values.ndim == 1 else values
        at += count * dtype.itemsize
    return tensors


def _converted(node: Mapping[str, Any], tensors: Tensors, picture: str) -> list[NodeProto]:
    """Convert one node; the constants that it needs in another layout are added to `tensors`."""
    name, op, inputs = node["name"], node["op"], _inputs(node)
    between = f"{name}, between"
    if op in _ELEMENTWISE:
        return [helper.make_node(_ELEMENTWISE[op], inputs or [picture], [name])]
    if op in ("Conv2D", "DepthwiseConv2dNative"):
        return [_convolution(node, tensors)]
    if op == "Pad":
        tensors[between] = tensors[inputs[1]][[0, 3, 1, 2]].T.reshape(-1)
        return [helper.make_node("Pad", [inputs[0], between], [name])]
    if op == "Mean":
        return [helper.make_node("GlobalAveragePool", inputs[:1], [name])]
    if op == "Reshape":  # flattens a map, whose channels come last
        last = helper.make_node("Transpose", inputs[:1], [between], perm=(0, 2, 3, 1))
        return [last, helper.make_node("Flatten", [between], [name])]
    if op == "MatMul":
        tensors[_MAP_AXES] = np.array([2, 3])
        product = helper.make_node("MatMul", inputs, [between])
        return [product, helper.make_node("Unsqueeze", [between, _MAP_AXES], [name])]
    raise UserError(f"the network has the operation {op}, which is not known here")


def _convolution(node: Mapping[str, Any], tensors: Tensors) -> NodeProto:
    """Convert a convolution; its kernel is [H, W, channels, filters], or filters of each channel."""
    name, (picture, kernel_name) = node["name"], _inputs(node)
    kernel = tensors[kernel_name]
    height, width, channels, filters = kernel.shape
    depthwise = node["op"] == "DepthwiseConv2dNative"
    if depthwise:
        kernel = kernel.transpose(2, 3, 0, 1).reshape(channels * filters, 1, height, width)
    else:
        kernel = kernel.transpose(3, 2, 0, 1)
    tensors[f"{name}, kernel"] = kernel
    attributes = node["attr"]
    return helper.make_node(
        "Conv",
        [picture, f"{name}, kernel"],
        [name],
        auto_pad=_PADDING[base64.b64decode(attributes["padding"]["s"]).decode()],
        strides=[int(step) for step in attributes["strides"]["list"]["i"][1:3]],
        group=channels if depthwise else 1,
    )
