"""Loads the weights of an exported segmenter back into its torch network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from inpaint_model.errors import UserError
from inpaint_model.networks.layers import ConvUnit
from inpaint_model.networks.segmenter import MaskSegmenterNet
from trainer.export.batch_norm_folding import unfold_into

_Pair = tuple[Tensor, Tensor]


def segmenter_from_tflite(path: Path) -> MaskSegmenterNet:
    """Build the torch segmenter, fp32 and in evaluation mode, from what `trainer export` wrote.

    Args:
        path: the `.tflite` file.

    Raises:
        UserError: the file is missing, or holds no segmenter of this project.
    """
    net = MaskSegmenterNet().eval()
    layers = [layer for layer in net.modules() if isinstance(layer, ConvUnit) or _is_bare(layer)]
    pairs = _convolutions(path)
    if len(pairs) != len(layers):
        raise UserError(f"{path}: holds no segmenter of this project")
    for layer, (weight, bias) in zip(layers, pairs, strict=True):
        if weight.shape != next(layer.parameters()).shape:
            raise UserError(f"{path}: a layer is not of a segmenter of this project")
        if isinstance(layer, ConvUnit):
            unfold_into(layer, weight, bias)
            continue
        # The file holds each value less the other; half of that on either side comes to the same.
        layer.load_state_dict({"weight": weight / 2, "bias": bias / 2})
    return net


def _is_bare(layer: nn.Module) -> bool:
    """A convolution without a batch norm after it: the only ones that have a bias."""
    return isinstance(layer, nn.Conv2d) and layer.bias is not None


def _convolutions(path: Path) -> list[_Pair]:
    """Weight [out, in, k, k] and bias [out] of each convolution, in the file's order."""
    from mediapipe.tasks.metadata import schema_py_generated as schema

    try:
        model: Any = schema.ModelT.InitFromPackedBuf(path.read_bytes())
        graph, codes = model.subgraphs[0], model.operatorCodes
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except Exception as error:  # flatbuffers raises whatever the bytes lead it to
        raise UserError(f"{path}: not a TFLite file ({error})") from None

    def array(index: int) -> Tensor:
        tensor = graph.tensors[index]
        data = np.asarray(model.buffers[tensor.buffer].data, dtype=np.uint8).tobytes()
        return torch.from_numpy(np.frombuffer(data, np.float32).reshape(tensor.shape).copy())

    kind = schema.BuiltinOperator.CONV_2D
    found = [op for op in graph.operators if codes[op.opcodeIndex].builtinCode == kind]
    return [
        (array(op.inputs[1]).permute(0, 3, 1, 2).contiguous(), array(op.inputs[2])) for op in found
    ]
