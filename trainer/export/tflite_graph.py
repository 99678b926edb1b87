"""A TFLite model under construction: operators written straight into TFLite's own schema."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flatbuffers
import numpy as np
from mediapipe.tasks.metadata import schema_py_generated as schema
from numpy.typing import NDArray
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from inpaint_model.networks.fast import ConvUnit

_MODEL_VERSION = 3
_Operator, _Options = schema.BuiltinOperator, schema.BuiltinOptions


class TfliteGraph:
    """A TFLite model under construction; tensors are named by their index."""

    def __init__(self) -> None:
        self.tensors: list[schema.TensorT] = []
        self.operators: list[schema.OperatorT] = []
        self.buffers = [_buffer(b"")]
        self.codes: list[int] = []

    def tensor(self, name: str, shape: Sequence[int], data: NDArray | None = None) -> int:
        """Add a tensor, float32 unless its data says int32."""
        tensor: Any = schema.TensorT()
        tensor.name, tensor.shape = name.encode(), list(shape)
        integer = data is not None and data.dtype == np.int32
        tensor.type = schema.TensorType.INT32 if integer else schema.TensorType.FLOAT32
        tensor.buffer = 0
        if data is not None:
            tensor.buffer = len(self.buffers)
            self.buffers.append(_buffer(np.ascontiguousarray(data).tobytes()))
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def constant(self, data: NDArray) -> int:
        """Add a constant tensor."""
        return self.tensor(f"constant{len(self.tensors)}", data.shape, data)

    def operator(
        self,
        kind: str,
        inputs: Sequence[int],
        shape: Sequence[int],
        options: object | None = None,
        *,
        name: str = "",
    ) -> int:
        """Add an operator (its BuiltinOperator name); return its output tensor."""
        code = getattr(_Operator, kind)
        if code not in self.codes:
            self.codes.append(code)
        output = self.tensor(name or f"{kind.lower()}{len(self.tensors)}", shape)
        operator: Any = schema.OperatorT()
        operator.opcodeIndex = self.codes.index(code)
        operator.inputs, operator.outputs = list(inputs), [output]
        if options is not None:
            kind_of_options = type(options).__name__.removesuffix("T")
            operator.builtinOptionsType = getattr(_Options, kind_of_options)
            operator.builtinOptions = options
        self.operators.append(operator)
        return output

    def shape(self, tensor: int) -> list[int]:
        """The shape of a tensor, NHWC."""
        return list(self.tensors[tensor].shape or ())

    def convolution(self, x: int, conv: nn.Conv2d, *, relu: bool, name: str = "") -> int:
        """Add a convolution with torch's symmetric padding; TFLite's "same" differs at stride 2."""
        (stride, _), (dilation, _), (kernel, _) = conv.stride, conv.dilation, conv.kernel_size
        padding = dilation * (kernel - 1) // 2
        n, height, width, channels = self.shape(x)
        if stride > 1:
            pads = np.array([[0, 0], [padding] * 2, [padding] * 2, [0, 0]], np.int32)
            padded = [n, height + 2 * padding, width + 2 * padding, channels]
            x = self.operator("PAD", [x, self.constant(pads)], padded, schema.PadOptionsT())
        options = schema.Conv2DOptionsT()
        options.padding = schema.Padding.VALID if stride > 1 else schema.Padding.SAME
        options.strideW = options.strideH = stride
        options.dilationWFactor = options.dilationHFactor = dilation
        activation = schema.ActivationFunctionType
        options.fusedActivationFunction = activation.RELU if relu else activation.NONE
        weight = conv.weight.detach().permute(0, 2, 3, 1).numpy().astype(np.float32)
        bias = np.zeros(len(weight), np.float32)
        if conv.bias is not None:
            bias = conv.bias.detach().numpy().astype(np.float32)
        inputs = [x, self.constant(weight), self.constant(bias)]
        shape = [n, height // stride, width // stride, len(weight)]
        return self.operator("CONV_2D", inputs, shape, options, name=name)

    def conv_unit(self, x: int, conv_unit: nn.Module) -> int:
        """Add a ConvUnit, or a sequence of them, with folded batch norm."""
        if not isinstance(conv_unit, ConvUnit):
            for part in conv_unit.children():
                x = self.conv_unit(x, part)
            return x
        conv, norm = conv_unit[0], conv_unit[1]
        if not isinstance(conv, nn.Conv2d) or not isinstance(norm, nn.BatchNorm2d):
            raise TypeError("a ConvUnit is a convolution, a batch norm and a ReLU")
        return self.convolution(x, fuse_conv_bn_eval(conv, norm), relu=True)

    def upsample(self, x: int) -> int:
        """Upsample twofold, bilinear, as torch's `interpolate(align_corners=False)`."""
        n, height, width, channels = self.shape(x)
        options = schema.ResizeBilinearOptionsT()
        options.alignCorners, options.halfPixelCenters = False, True
        size = self.constant(np.array([2 * height, 2 * width], np.int32))
        shape = [n, 2 * height, 2 * width, channels]
        return self.operator("RESIZE_BILINEAR", [x, size], shape, options)

    def concatenate(self, one: int, two: int) -> int:
        """Concatenate channels."""
        options = schema.ConcatenationOptionsT()
        options.axis = 3
        shape = self.shape(one)
        shape[3] += self.shape(two)[3]
        return self.operator("CONCATENATION", [one, two], shape, options)

    def add(self, one: int, two: int) -> int:
        """Add two tensors of one shape."""
        return self.operator("ADD", [one, two], self.shape(one), schema.AddOptionsT())

    def sigmoid(self, x: int, name: str) -> int:
        """Add a sigmoid."""
        return self.operator("LOGISTIC", [x], self.shape(x), name=name)

    def build(self, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
        """Serialise the model."""
        graph = schema.SubGraphT()
        graph.tensors, graph.operators = self.tensors, self.operators
        graph.inputs, graph.outputs = list(inputs), list(outputs)
        model = schema.ModelT()
        model.version, model.subgraphs, model.buffers = _MODEL_VERSION, [graph], self.buffers
        model.operatorCodes = [_operator_code(code) for code in self.codes]
        return serialise(model)


class _AlignedBuilder(flatbuffers.Builder):
    """Aligns every vector to 16 bytes, as TFLite's schema requires of buffers."""

    def StartVector(self, elemSize: int, numElems: int, alignment: int) -> int:
        return super().StartVector(elemSize, numElems, max(alignment, 16))


def serialise(model: Any) -> bytes:
    """Serialise a model with buffers aligned to 16 bytes."""
    builder = _AlignedBuilder(1 << 20)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _buffer(data: bytes) -> schema.BufferT:
    buffer: Any = schema.BufferT()
    buffer.data = np.frombuffer(data, dtype=np.uint8) if data else None
    return buffer


def _operator_code(code: int) -> schema.OperatorCodeT:
    entry = schema.OperatorCodeT()
    entry.builtinCode = entry.deprecatedBuiltinCode = code
    # Half-pixel centres need version 3 of RESIZE_BILINEAR, dilation version 2 of CONV_2D.
    entry.version = {_Operator.RESIZE_BILINEAR: 3, _Operator.CONV_2D: 2}.get(code, 1)
    return entry
