"""Exports a generator in seconds: an ONNX file made before the training receives the trained weights."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from inpaint_model.networks.byte_generator import ByteGenerator
from inpaint_model.networks.layers import fuse_batch_norms, half_convolutions
from trainer.export.onnx_export import Parity, compare, write_onnx

_NOISE = 1e-3  # standard deviation of what makes the template's weights differ from one another


def write_template(net: nn.Module, template: Path) -> None:
    """Export a generator in fp16 with noise on its weights, as the file that `refill` takes.

    The exporter merges equal weights and removes those without effect, such as the zero biases of an
    untrained network; noise prevents it.

    Args:
        net: the generator on the CPU; not changed.
        template: the `.onnx` to write.
    """
    noisy = copy.deepcopy(net)
    with torch.no_grad():
        for parameter in noisy.parameters():
            parameter.add_(_NOISE * torch.randn_like(parameter))
    part = template.with_name(template.name + ".part")
    write_onnx(_folded(noisy), part, "fp16")
    part.replace(template)


def refill(
    template: Path,
    net: nn.Module,
    out: Path,
    crops: NDArray[np.uint8],
    holes: NDArray[np.bool_],
) -> Parity:
    """Write a generator as fp16 ONNX from a template and compare it with the network.

    Args:
        template: what `write_template` wrote for a network of the same layers.
        net: the trained generator on the CPU; not changed.
        out: the `.onnx` to write.
        crops: uint8 [N, 128, 128, 3], real crops to compare on.
        holes: bool [N, 128, 128].

    Returns:
        The difference of the file on ONNX Runtime from torch in fp32.

    Raises:
        RuntimeError: the template is of other layers, or the file differs from the network.
    """
    import onnx

    net = copy.deepcopy(net).eval().float()
    weights = ByteGenerator(_folded(net)).state_dict()
    model = onnx.load(template)
    for tensor in model.graph.initializer:
        if tensor.name in weights:
            _replace(tensor, weights.pop(tensor.name))
    if weights:
        raise RuntimeError(f"{template} has no weights {', '.join(sorted(weights))}")
    part = out.with_name(out.name + ".part")
    try:
        onnx.save(model, part)
        parity = compare(part, net, crops, holes)
        parity.check(out.name, "fp16")
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    return parity


def _folded(net: nn.Module) -> nn.Module:
    """Return a copy in fp16 without batch norms, whose weights are those of the ONNX file."""
    net = copy.deepcopy(net).eval().float().to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    fuse_batch_norms(net)
    half_convolutions(net)
    return net


def _replace(tensor: onnx.TensorProto, value: Tensor) -> None:  # type: ignore[name-defined]  # noqa: F821
    from onnx import numpy_helper

    old, new = numpy_helper.to_array(tensor), value.numpy()
    if old.shape != new.shape or old.dtype != new.dtype:
        raise RuntimeError(f"{tensor.name} is {old.dtype} {old.shape}, not {new.dtype} {new.shape}")
    tensor.CopyFrom(numpy_helper.from_array(new, tensor.name))
