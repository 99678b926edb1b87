"""Writes the mask segmenter as a TFLite file with the metadata MediaPipe Image Segmenter needs.

The network is a handful of operators, so it is written straight into TFLite's own schema (which
MediaPipe ships) instead of through a converter that needs an environment of its own. Batch norm is
folded into the convolutions; `export_segmenter` compares the file, run by MediaPipe, with torch.
"""

from __future__ import annotations

import copy
import importlib
import io
import sys
import tempfile
import types
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import torch
from mediapipe.tasks.metadata import schema_py_generated as schema
from numpy.typing import NDArray
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from inpaint_model.errors import UserError
from inpaint_model.segmenter import MaskSegmenterNet
from inpaint_model.student import ConvUnit
from realtime.alignment import CROP_SIZE
from realtime.segmentation import MaskSegmenter
from trainer.measures import iou
from trainer.segmenter_task import segment

LABELS = ("background", "mask")
MOST_DIFFERENCE = 0.02
_MODEL_VERSION, _PARSER_VERSION = 3, "1.5.0"
_Operator, _Options = schema.BuiltinOperator, schema.BuiltinOptions


@dataclass(frozen=True)
class SegmenterParity:
    """How far the file, run by MediaPipe, is from the trained network.

    Attributes:
        largest, mean: absolute difference of the mask's probability.
        iou: of the two masks, thresholded at one half.
    """

    largest: float
    mean: float
    iou: float


class _Graph:
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
        """A convolution with torch's symmetric padding; TFLite's "same" differs at stride 2."""
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

    def unit(self, x: int, unit: nn.Module) -> int:
        """A ConvUnit, or a sequence of them, batch norm folded in."""
        if not isinstance(unit, ConvUnit):
            for part in unit.children():
                x = self.unit(x, part)
            return x
        conv, norm = unit[0], unit[1]
        if not isinstance(conv, nn.Conv2d) or not isinstance(norm, nn.BatchNorm2d):
            raise TypeError("a ConvUnit is a convolution, a batch norm and a ReLU")
        return self.convolution(x, fuse_conv_bn_eval(conv, norm), relu=True)

    def double(self, x: int) -> int:
        """Twice the size, bilinear, as torch's `interpolate(align_corners=False)`."""
        n, height, width, channels = self.shape(x)
        options = schema.ResizeBilinearOptionsT()
        options.alignCorners, options.halfPixelCenters = False, True
        size = self.constant(np.array([2 * height, 2 * width], np.int32))
        shape = [n, 2 * height, 2 * width, channels]
        return self.operator("RESIZE_BILINEAR", [x, size], shape, options)

    def join(self, one: int, two: int) -> int:
        """Concatenate channels."""
        options = schema.ConcatenationOptionsT()
        options.axis = 3
        shape = self.shape(one)
        shape[3] += self.shape(two)[3]
        return self.operator("CONCATENATION", [one, two], shape, options)

    def sigmoid(self, x: int, name: str) -> int:
        """Sigmoid of each value."""
        return self.operator("LOGISTIC", [x], self.shape(x), name=name)

    def pack(self, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
        """Serialise the model."""
        graph = schema.SubGraphT()
        graph.tensors, graph.operators = self.tensors, self.operators
        graph.inputs, graph.outputs = list(inputs), list(outputs)
        model = schema.ModelT()
        model.version, model.subgraphs, model.buffers = _MODEL_VERSION, [graph], self.buffers
        model.operatorCodes = [_operator_code(code) for code in self.codes]
        return _serialise(model)


class _AlignedBuilder(flatbuffers.Builder):
    """Starts every vector at a multiple of 16 bytes, as TFLite's schema asks of buffers."""

    def StartVector(self, elemSize: int, numElems: int, alignment: int) -> int:
        return super().StartVector(elemSize, numElems, max(alignment, 16))


def _serialise(model: Any) -> bytes:
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
    # The third version of RESIZE_BILINEAR knows half-pixel centres, the second of CONV_2D dilation.
    entry.version = {_Operator.RESIZE_BILINEAR: 3, _Operator.CONV_2D: 2}.get(code, 1)
    return entry


def write_graph(net: MaskSegmenterNet) -> bytes:
    """Write the network's forward pass as a TFLite model, without metadata."""
    graph = _Graph()
    crops = graph.tensor("crops", [1, CROP_SIZE, CROP_SIZE, 3])
    at64 = graph.unit(crops, net.down64)
    at32 = graph.unit(at64, net.down32)
    at16 = graph.unit(at32, net.down16)
    x = graph.join(graph.double(graph.unit(at16, net.down8)), at16)
    x = graph.join(graph.double(graph.unit(x, net.fuse16)), at32)
    x = graph.join(graph.double(graph.unit(x, net.fuse32)), at64)
    margins = graph.convolution(graph.unit(x, net.fuse64), _margins(net.logits), relu=False)
    return graph.pack([crops], [graph.sigmoid(graph.double(margins), "masks")])


def _margins(logits: nn.Conv2d) -> nn.Conv2d:
    """Each of two logits less the other: their sigmoid is the softmax, at a fraction of its cost."""
    margins = copy.deepcopy(logits)
    for part in margins.parameters():
        part.data = part.data - part.data.flip(0)
    return margins


def add_metadata(model: bytes) -> bytes:
    """Add normalisation (mean and deviation 127.5) and labels, as MediaPipe's own writer does."""
    _stand_in_for_parser_version()
    from mediapipe.tasks.python.metadata.metadata_writers import image_segmenter, metadata_writer

    labels = metadata_writer.Labels().add(list(LABELS))
    writer = image_segmenter.MetadataWriter.create(bytearray(model), [127.5], [127.5], labels)
    content, _ = writer.populate()
    return _settle(bytes(content))


def _settle(content: bytes) -> bytes:
    """Align the buffers, which the writer packs anew, and drop the time: one network, one file."""
    file = io.BytesIO(_serialise(schema.ModelT.InitFromPackedBuf(content)))
    with zipfile.ZipFile(io.BytesIO(content)) as written, zipfile.ZipFile(file, "a") as settled:
        for entry in written.infolist():
            settled.writestr(zipfile.ZipInfo(entry.filename), written.read(entry))
    return file.getvalue()


def _stand_in_for_parser_version() -> None:
    """MediaPipe 1.2 does not ship the compiled module its metadata writer imports for one string."""
    name = "mediapipe.tasks.cc.metadata.python"
    try:
        importlib.import_module(f"{name}._pywrap_metadata_version")
        return
    except ModuleNotFoundError:
        if name in sys.modules:
            return
    stand_in = types.ModuleType("_pywrap_metadata_version")
    stand_in.__dict__["GetMinimumMetadataParserVersion"] = lambda _: _PARSER_VERSION
    package = types.ModuleType(name)
    package.__dict__["_pywrap_metadata_version"] = stand_in
    for parent in ("mediapipe.tasks.cc", "mediapipe.tasks.cc.metadata"):
        sys.modules.setdefault(parent, types.ModuleType(parent))
    sys.modules[name] = package


def export_segmenter(net: nn.Module, out: Path, crops: NDArray[np.uint8]) -> SegmenterParity:
    """Write the segmenter and compare it, run by MediaPipe, with the trained network.

    Args:
        net: the trained network.
        out: the `.tflite` to write.
        crops: uint8 [N, 128, 128, 3], RGB, real crops to compare on.

    Raises:
        UserError: the network is not a MaskSegmenterNet, or the crops are not such crops.
        RuntimeError: the file differs from the network.
    """
    if not isinstance(net, MaskSegmenterNet):
        raise UserError(
            f"only a MaskSegmenterNet can be written as TFLite, not {type(net).__name__}"
        )
    wanted_shape = (CROP_SIZE, CROP_SIZE, 3)
    if crops.dtype != np.uint8 or not len(crops) or crops.shape[1:] != wanted_shape:
        raise UserError(
            f"parity needs uint8 crops [N, {CROP_SIZE}, {CROP_SIZE}, 3], at least one, "
            f"not {crops.dtype} {list(crops.shape)}"
        )
    net = net.eval()
    content = add_metadata(write_graph(net))
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder) / "trial.tflite"
        trial.write_bytes(content)
        with MaskSegmenter(trial) as segmenter:
            found = np.stack([segmenter(np.ascontiguousarray(crop)) for crop in crops])
    with torch.no_grad():
        wanted = segment(net, crops)
    difference = np.abs(found - wanted)
    agreement = float(iou(found > 0.5, wanted > 0.5).mean())
    parity = SegmenterParity(float(difference.max()), float(difference.mean()), agreement)
    if parity.largest > MOST_DIFFERENCE:
        raise RuntimeError(
            f"{out.name}: exported and trained network differ by {parity.largest:.3f}"
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(out.name + ".part")
    part.write_bytes(content)
    part.replace(out)
    return parity
