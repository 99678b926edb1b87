"""Runs an ONNX generator's graph with torch's operators (onnx2torch needs torchvision, which we do not)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from inpaint_model.errors import UserError

# A node's attributes by name, and its inputs' values where these are constants of the file.
Attributes = dict[str, Any]
Constants = Sequence[NDArray[Any] | None]
# Computes a node's output from its inputs; an input left out is None.
Operator = Callable[..., Tensor]


class OnnxModule(nn.Module):
    """A generator's graph as a torch module: bytes in and bytes out, as the file says.

    Every parameter that decides a shape is read once, here, so that a call never waits for the GPU
    and can be captured as a CUDA graph.

    Args:
        path: an ONNX file in full precision.
        half: keep fp16 as it is; else it is computed in fp32.

    Raises:
        UserError: the file cannot be read, is quantised, or has an operator that is not known here.
    """

    def __init__(self, path: Path, *, half: bool) -> None:
        super().__init__()
        graph = _read(path)
        self._inputs = [value.name for value in graph.input]
        self._output = graph.output[0].name
        self._half = half
        constants = _constants(graph)
        self._buffer_of: dict[str, str] = {}
        for index, (name, value) in enumerate(constants.items()):
            self.register_buffer(f"constant{index}", self._tensor(value))
            self._buffer_of[name] = f"constant{index}"
        self._steps: list[tuple[Operator, list[str], str]] = []
        for node in graph.node:
            if node.op_type == "Constant":
                continue
            known = [constants.get(name) for name in node.input]
            operator = _operator(node, known, path, half)
            self._steps.append((operator, list(node.input), node.output[0]))

    def forward(self, crops: Tensor, holes: Tensor) -> Tensor:
        """Fill crops, uint8 [N, 128, 128, 3] RGB, in holes, uint8 [N, 128, 128]; uint8 as crops."""
        values: dict[str, Tensor] = dict(zip(self._inputs, (crops, holes), strict=True))
        for name, buffer in self._buffer_of.items():
            values[name] = getattr(self, buffer)
        for operator, inputs, output in self._steps:
            values[output] = operator(*(values[name] if name else None for name in inputs))
        return values[self._output]

    def _tensor(self, value: NDArray[Any]) -> Tensor:
        wide = value.dtype == np.float16 and not self._half
        tensor = torch.from_numpy(np.array(value, np.float32 if wide else value.dtype))
        return tensor.contiguous(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor


def _read(path: Path) -> Any:
    import onnx

    try:
        graph = onnx.load(path).graph
    except Exception as error:  # protobuf's kinds of error are not public
        line = next(iter(str(error).splitlines()), type(error).__name__)
        raise UserError(f"{path}: is no ONNX file ({line})") from None
    if any(node.op_type == "DequantizeLinear" for node in graph.node):
        raise UserError(f"{path}: is quantised; engine torch takes the file in full precision")
    if sorted(value.name for value in graph.input) != ["crops", "holes"]:
        raise UserError(f"{path}: is not a generator of the inputs crops and holes")
    return graph


def _constants(graph: Any) -> dict[str, NDArray[Any]]:
    from onnx import helper, numpy_helper

    found = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            (attribute,) = node.attribute
            value = helper.get_attribute_value(attribute)
            is_tensor = attribute.name == "value"
            found[node.output[0]] = numpy_helper.to_array(value) if is_tensor else np.array(value)
    return found


def _operator(node: Any, known: Constants, path: Path, half: bool) -> Operator:
    from onnx import helper

    attributes = {item.name: helper.get_attribute_value(item) for item in node.attribute}
    if node.op_type == "Cast":
        return _cast(attributes["to"], half)
    if node.op_type in _SIMPLE:
        return _SIMPLE[node.op_type]
    if node.op_type not in _SHAPED:
        raise UserError(f"{path}: engine torch does not know the operator {node.op_type}")
    return _SHAPED[node.op_type](attributes, known)


def _cast(to: int, half: bool) -> Operator:
    from onnx import helper

    kind = torch.from_numpy(np.zeros(1, helper.tensor_dtype_to_np_dtype(to))).dtype
    if kind == torch.float16 and not half:
        kind = torch.float32
    return lambda x: x.to(kind)


def _conv(attributes: Attributes, _known: Constants) -> Operator:
    top, left, bottom, right = attributes.get("pads", (0, 0, 0, 0))
    settings = {
        "stride": tuple(attributes.get("strides", (1, 1))),
        "dilation": tuple(attributes.get("dilations", (1, 1))),
        "groups": attributes.get("group", 1),
    }
    if (top, left) == (bottom, right):
        return lambda x, w, b=None: functional.conv2d(x, w, b, padding=(top, left), **settings)
    sides = (left, right, top, bottom)
    return lambda x, w, b=None: functional.conv2d(functional.pad(x, sides), w, b, **settings)


def _conv_transpose(attributes: Attributes, _known: Constants) -> Operator:
    top, left, bottom, right = attributes.get("pads", (0, 0, 0, 0))
    if (top, left) != (bottom, right):
        raise UserError("engine torch does not know a ConvTranspose of uneven pads")
    stride = tuple(attributes.get("strides", (1, 1)))
    dilation = tuple(attributes.get("dilations", (1, 1)))
    extra = tuple(attributes.get("output_padding", (0, 0)))
    groups = attributes.get("group", 1)
    return lambda x, w, b=None: functional.conv_transpose2d(
        x, w, b, stride, (top, left), extra, groups, dilation
    )


def _batch_norm(attributes: Attributes, _known: Constants) -> Operator:
    epsilon = attributes.get("epsilon", 1e-5)
    return lambda x, weight, bias, mean, var: functional.batch_norm(
        x, mean.to(x.dtype), var.to(x.dtype), weight.to(x.dtype), bias.to(x.dtype), eps=epsilon
    )


def _slice(_attributes: Attributes, known: Constants) -> Operator:
    starts, ends, axes, steps = [*known[1:], None, None][:4]
    if starts is None or ends is None or axes is None:
        raise UserError("engine torch does not know a Slice whose bounds are computed")
    steps = np.ones_like(starts) if steps is None else steps
    cuts = [(int(a), slice(int(s), _end(int(e)), int(t)))
            for a, s, e, t in zip(axes, starts, ends, steps, strict=True)]  # fmt: skip

    def cut(x: Tensor, *_: Tensor) -> Tensor:
        where = [slice(None)] * x.ndim
        for axis, part in cuts:
            where[axis] = part
        return x[tuple(where)]

    return cut


def _end(value: int) -> int | None:
    return None if value > 1 << 30 else value


def _axes(attributes: Attributes, known: Constants) -> list[int]:
    given = known[1] if len(known) > 1 else attributes.get("axes")
    if given is None:
        raise UserError("engine torch does not know an operator whose axes are computed")
    return [int(axis) for axis in np.atleast_1d(given)]


def _unsqueeze(attributes: Attributes, known: Constants) -> Operator:
    axes = sorted(_axes(attributes, known))

    def unsqueeze(x: Tensor, *_: Tensor) -> Tensor:
        for axis in axes:
            x = x.unsqueeze(axis)
        return x

    return unsqueeze


def _reduce_sum(attributes: Attributes, known: Constants) -> Operator:
    axes, keep = _axes(attributes, known), bool(attributes.get("keepdims", 1))
    return lambda x, *_: x.sum(axes, keepdim=keep)


def _clip(_attributes: Attributes, known: Constants) -> Operator:
    low, high = ([*known[1:], None, None])[:2]
    bounds = [None if bound is None else bound.item() for bound in (low, high)]
    return lambda x, *_: x.clamp(bounds[0], bounds[1])


def _depth_to_space(attributes: Attributes, _known: Constants) -> Operator:
    if attributes.get("mode", b"DCR") != b"CRD":
        raise UserError("engine torch does not know DepthToSpace of mode DCR")
    return lambda x: functional.pixel_shuffle(x, attributes["blocksize"])


def _transpose(attributes: Attributes, _known: Constants) -> Operator:
    order = tuple(attributes["perm"])
    return lambda x: x.permute(order)


def _concat(attributes: Attributes, _known: Constants) -> Operator:
    axis = attributes["axis"]
    return lambda *parts: torch.cat(parts, axis)


_SIMPLE: dict[str, Operator] = {
    "Add": torch.add,
    "Sub": torch.sub,
    "Mul": torch.mul,
    "Div": torch.div,
    "Pow": torch.pow,
    "Relu": torch.relu,
    "Round": torch.round,  # half to even, as ONNX has it
    "Greater": torch.gt,
    "Where": torch.where,
    "Identity": lambda x: x,
}
_SHAPED: dict[str, Callable[[Attributes, Constants], Operator]] = {
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "BatchNormalization": _batch_norm,
    "Slice": _slice,
    "Unsqueeze": _unsqueeze,
    "ReduceSum": _reduce_sum,
    "Clip": _clip,
    "DepthToSpace": _depth_to_space,
    "Transpose": _transpose,
    "Concat": _concat,
}
