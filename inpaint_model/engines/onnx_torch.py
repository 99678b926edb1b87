"""A generator's ONNX file as a torch module: the graph is read once, and run operator by operator."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from inpaint_model.engines.onnx_operators import OPERATORS, PARAMETERS_AFTER_FIRST
from inpaint_model.errors import UserError

if TYPE_CHECKING:
    import onnx

_INPUTS, _OUTPUT = ("crops", "holes"), "filled"


@dataclass(frozen=True)
class _Node:
    op: str
    inputs: tuple[str, ...]
    output: str
    attributes: dict[str, Any] = field(default_factory=dict)

    @property
    def run(self) -> Callable[..., Any]:
        return partial(OPERATORS[self.op], **self.attributes)


@dataclass(frozen=True)
class _Step:
    run: Callable[..., Any]
    inputs: tuple[str, ...]
    output: str
    finished: tuple[str, ...]  # what no later step needs


class OnnxGenerator(nn.Module):
    """Runs the graph of a generator's file. Its tensors are buffers, so `.to` moves them.

    Shapes and parameters are Python's own numbers: nothing waits for a device while it runs.

    Args:
        path: an ONNX generator, full precision, with the interface of the shipped ones.
        full: turn what the file holds and does in fp16 into fp32.

    Raises:
        UserError: the file is no such generator, or has an operator that is not in `OPERATORS`.
    """

    def __init__(self, path: Path, *, full: bool) -> None:
        super().__init__()
        import onnx

        try:
            nodes, constants = _read(onnx.load(path).graph, full)
            nodes = _fold_norms(_fold_constants(nodes, constants), constants)
        except UserError as error:
            raise UserError(f"{path}: {error}") from error
        needed = {name for node in nodes for name in node.inputs}
        self._plain: dict[str, Any] = {"": None}
        self._places: dict[str, str] = {}
        parameters = _parameter_names(nodes)
        for name in sorted(needed & constants.keys()):
            value = constants[name]
            if name in parameters or value.ndim == 0:
                self._plain[name] = _plain(value)
            else:
                self._places[name] = f"constant{len(self._places)}"
                self.register_buffer(self._places[name], value)
        self._steps = _steps(nodes, keep={*constants, "", _OUTPUT})

    def forward(self, crops: Tensor, holes: Tensor) -> Tensor:
        """Fill crops, uint8 [N, 128, 128, 3] RGB, in holes, uint8 [N, 128, 128]; uint8 as crops."""
        values = self._plain | {name: getattr(self, at) for name, at in self._places.items()}
        values.update(zip(_INPUTS, (crops, holes), strict=True))
        for step in self._steps:
            values[step.output] = step.run(*[values[name] for name in step.inputs])
            for name in step.finished:
                del values[name]
        return values[_OUTPUT]


def _read(graph: onnx.GraphProto, full: bool) -> tuple[list[_Node], dict[str, Tensor]]:
    """Take the nodes and constants out of a graph, and refuse what cannot be run."""
    constants = {item.name: _tensor(item, full) for item in graph.initializer}
    inputs = {item.name for item in graph.input} - constants.keys()
    outputs = {item.name for item in graph.output}
    if inputs != set(_INPUTS) or outputs != {_OUTPUT}:
        raise UserError("is no generator with the inputs crops and holes and the output filled")
    nodes: list[_Node] = []
    for proto in graph.node:
        if proto.op_type == "Constant":
            constants[proto.output[0]] = _constant(proto, full)
        else:
            nodes.append(_node(proto, full))
    return nodes, constants


def _node(proto: onnx.NodeProto, full: bool) -> _Node:
    from onnx import helper

    name = proto.op_type if proto.domain in ("", "ai.onnx") else f"{proto.domain}.{proto.op_type}"
    if name in ("DequantizeLinear", "QuantizeLinear"):
        raise UserError(f"is quantised ({name}); engine torch takes the file in full precision")
    if name not in OPERATORS or len(proto.output) != 1:
        raise UserError(f"engine torch cannot run its operator {name}; take --engine onnxruntime")
    attributes: dict[str, Any] = {
        item.name: helper.get_attribute_value(item) for item in proto.attribute
    }
    attributes = {k: v.decode() if isinstance(v, bytes) else v for k, v in attributes.items()}
    if attributes.get("auto_pad") == "NOTSET":
        del attributes["auto_pad"]
    if unknown := attributes.keys() - inspect.signature(OPERATORS[name]).parameters.keys():
        raise UserError(f"engine torch cannot obey {', '.join(sorted(unknown))} of a {name}")
    if name == "Cast":
        kind = np.empty(0, helper.tensor_dtype_to_np_dtype(attributes["to"]))
        attributes["to"] = _as_asked(torch.from_numpy(kind), full).dtype
    return _Node(name, tuple(proto.input), proto.output[0], attributes)


def _constant(proto: onnx.NodeProto, full: bool) -> Tensor:
    from onnx import helper

    (attribute,) = proto.attribute
    value = helper.get_attribute_value(attribute)
    if attribute.name == "value":
        return _tensor(value, full)
    if attribute.name in ("value_float", "value_floats", "value_int", "value_ints"):
        return torch.tensor(value)
    raise UserError(f"engine torch cannot read a Constant's {attribute.name}")


def _tensor(proto: onnx.TensorProto, full: bool) -> Tensor:
    from onnx import numpy_helper

    return _as_asked(torch.from_numpy(np.array(numpy_helper.to_array(proto))), full)


def _as_asked(value: Tensor, full: bool) -> Tensor:
    return value.float() if full and value.dtype == torch.float16 else value


def _plain(value: Tensor) -> Any:
    """Return a constant as Python's own: a number, or a tuple of them."""
    return value.item() if value.ndim == 0 else tuple(value.tolist())


def _parameters(node: _Node) -> tuple[str, ...]:
    return node.inputs[1:] if node.op in PARAMETERS_AFTER_FIRST else ()


def _parameter_names(nodes: Iterable[_Node]) -> set[str]:
    return {name for node in nodes for name in _parameters(node) if name}


def _fold_constants(nodes: Sequence[_Node], constants: dict[str, Tensor]) -> list[_Node]:
    """Compute what depends on constants alone, into `constants`, and return the other nodes."""
    kept: list[_Node] = []
    for node in nodes:
        if any(name and name not in constants for name in _parameters(node)):
            raise UserError(f"engine torch runs {node.op} only with constant parameters")
        if not all(name in constants for name in node.inputs if name):
            kept.append(node)
            continue
        values: list[Any] = [constants.get(name) for name in node.inputs]
        for index in range(len(node.inputs) - len(_parameters(node)), len(node.inputs)):
            values[index] = None if values[index] is None else _plain(values[index])
        constants[node.output] = node.run(*values)
    return kept


def _fold_norms(nodes: Sequence[_Node], constants: dict[str, Tensor]) -> list[_Node]:
    """Fold a batch norm into the convolution before it, where nothing else takes its output."""
    uses = Counter(name for node in nodes for name in node.inputs)
    kept: dict[str, _Node] = {}
    for node in nodes:
        conv = kept.get(node.inputs[0])
        if node.op == "BatchNormalization" and conv and uses[conv.output] == 1:
            folded = _folded(conv, node, constants)
            if folded is not None:
                del kept[conv.output]
                node = folded
        kept[node.output] = node
    return list(kept.values())


def _folded(conv: _Node, norm: _Node, constants: dict[str, Tensor]) -> _Node | None:
    names = [*conv.inputs[1:], *norm.inputs[1:]]
    if conv.op not in ("Conv", "ConvTranspose") or not all(name in constants for name in names):
        return None
    if conv.attributes.get("group", 1) != 1 or norm.attributes.get("training_mode", 0):
        return None
    weight = constants[conv.inputs[1]]
    scale, shift, mean, var = (constants[name].float() for name in norm.inputs[1:])
    biases = [constants[name].float() for name in conv.inputs[2:]]
    gain = scale / torch.sqrt(var + norm.attributes.get("epsilon", 1e-5))
    across = (-1, 1, 1, 1) if conv.op == "Conv" else (1, -1, 1, 1)
    added = f"{norm.output}:weight", f"{norm.output}:bias"
    constants[added[0]] = (weight.float() * gain.view(across)).to(weight.dtype)
    constants[added[1]] = (sum(biases, -mean) * gain + shift).to(weight.dtype)
    return replace(conv, inputs=(conv.inputs[0], *added), output=norm.output)


def _steps(nodes: Sequence[_Node], keep: set[str]) -> list[_Step]:
    last = {name: index for index, node in enumerate(nodes) for name in node.inputs}
    steps: list[_Step] = []
    for index, node in enumerate(nodes):
        ended = (name for name in set(node.inputs) - keep if last[name] == index)
        steps.append(_Step(node.run, node.inputs, node.output, tuple(ended)))
    return steps
