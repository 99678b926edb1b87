"""Loads the weights of an exported segmenter back into its torch network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from inpaint_model.errors import UserError
from inpaint_model.segmenter import MaskSegmenterNet
from inpaint_model.student import ConvUnit
from trainer.folding import unfold_into

_Pair = tuple[Tensor, Tensor]


def segmenter_of(path: Path) -> MaskSegmenterNet:
    """Build the torch segmenter, fp32 and in evaluation mode, from what `trainer export` wrote.

    Args:
        path: the `.tflite` file.

    Raises:
        UserError: the file is missing, or holds no segmenter of this project.
    """
    net = MaskSegmenterNet().eval()
    units = [module for module in net.modules() if isinstance(module, ConvUnit)]
    pairs = _convolutions(path)
    if len(pairs) != len(units) + 1:
        raise UserError(f"{path}: holds no segmenter of this project")
    for unit, (weight, bias) in zip(units, pairs[:-1], strict=True):
        if weight.shape != next(unit.parameters()).shape:
            raise UserError(f"{path}: a layer is not of a segmenter of this project")
        unfold_into(unit, weight, bias)
    # The file holds each logit less the other; half of that on either side gives the same softmax.
    weight, bias = pairs[-1]
    net.logits.weight.data = weight / 2
    assert net.logits.bias is not None
    net.logits.bias.data = bias / 2
    return net


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
