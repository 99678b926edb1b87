"""ONNX operators with torch: inputs are positional, attributes are keywords, under ONNX's own names.

A constant of rank 0 comes as a Python number, of the type of the tensor it meets. An attribute
that a function does not name is one it cannot obey.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from inpaint_model.errors import UserError

Number = int | float

PARAMETERS_AFTER_FIRST = frozenset({"ReduceSum", "Slice", "Unsqueeze"})
"""Operators whose inputs after the first are lists of whole numbers, and come as tuples."""


def _batch_normalization(
    x: Tensor,
    scale: Tensor,
    shift: Tensor,
    mean: Tensor,
    var: Tensor,
    *,
    epsilon: float = 1e-5,
    momentum: float = 0.9,
    training_mode: int = 0,
) -> Tensor:
    if training_mode:
        raise UserError("a BatchNormalization is in training mode: export the network in eval mode")
    return F.batch_norm(x, mean, var, scale, shift, eps=epsilon)


def _cast(x: Tensor, *, to: torch.dtype) -> Tensor:
    return x.to(to)


def _clip(x: Tensor, low: Number | None = None, high: Number | None = None) -> Tensor:
    return x if low is None and high is None else x.clamp(low, high)


def _concat(*inputs: Tensor, axis: int) -> Tensor:
    return torch.cat(inputs, axis)


def _conv(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    strides: Sequence[int] = (1, 1),
    pads: Sequence[int] = (0, 0, 0, 0),
    dilations: Sequence[int] = (1, 1),
    group: int = 1,
    kernel_shape: Sequence[int] = (),
) -> Tensor:
    top, left, bottom, right = pads
    if (top, left) != (bottom, right):
        x, top, left = F.pad(x, (left, right, top, bottom)), 0, 0
    return F.conv2d(x, weight, bias, list(strides), [top, left], list(dilations), group)


def _conv_transpose(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    strides: Sequence[int] = (1, 1),
    pads: Sequence[int] = (0, 0, 0, 0),
    output_padding: Sequence[int] = (0, 0),
    dilations: Sequence[int] = (1, 1),
    group: int = 1,
    kernel_shape: Sequence[int] = (),
) -> Tensor:
    top, left, bottom, right = pads
    if (top, left) != (bottom, right):
        raise UserError("a ConvTranspose has unequal pads, which engine torch cannot run")
    return F.conv_transpose2d(
        x, weight, bias, list(strides), [top, left], list(output_padding), group, list(dilations)
    )


def _depth_to_space(x: Tensor, *, blocksize: int, mode: str = "DCR") -> Tensor:
    if mode == "DCR":  # channels lie block by block; pixel_shuffle wants them colour by colour
        n, c, h, w = x.shape
        x = x.reshape(n, blocksize**2, c // blocksize**2, h, w).transpose(1, 2).reshape(n, c, h, w)
    return F.pixel_shuffle(x, blocksize)


def _divide(a: Tensor | Number, b: Tensor | Number) -> Any:
    kind = a.dtype if isinstance(a, Tensor) else b.dtype if isinstance(b, Tensor) else torch.float32
    return a / b if kind.is_floating_point else (torch.trunc(a / b)).to(kind)  # type: ignore[arg-type]


def _reduce_sum(
    x: Tensor,
    axes: Sequence[int] | None = None,
    *,
    keepdims: int = 1,
    noop_with_empty_axes: int = 0,
) -> Tensor:
    if not axes and noop_with_empty_axes:
        return x
    return x.sum(tuple(axes or range(x.ndim)), keepdim=bool(keepdims), dtype=x.dtype)


def _slice(
    x: Tensor,
    starts: Sequence[int],
    ends: Sequence[int],
    axes: Sequence[int] | None = None,
    steps: Sequence[int] | None = None,
) -> Tensor:
    index = [slice(None)] * x.ndim
    cuts = zip(starts, ends, axes or range(x.ndim), steps or [1] * x.ndim, strict=False)
    for start, end, axis, step in cuts:
        if step < 1:
            raise UserError("a Slice goes backwards, which engine torch cannot run")
        index[axis] = slice(start, end, step)
    return x[tuple(index)]


def _transpose(x: Tensor, *, perm: Sequence[int] | None = None) -> Tensor:
    return x.permute(tuple(perm or reversed(range(x.ndim))))


def _unsqueeze(x: Tensor, axes: Sequence[int]) -> Tensor:
    rank = x.ndim + len(axes)
    for axis in sorted(axis % rank for axis in axes):
        x = x.unsqueeze(axis)
    return x


def _identity(x: Tensor) -> Tensor:
    return x


def _relu(x: Tensor) -> Tensor:
    return torch.relu(x)


def _round(x: Tensor) -> Tensor:
    return torch.round(x)  # halves go to the even neighbour, as ONNX has it


def _exp(x: Tensor) -> Tensor:
    return torch.exp(x)


def _where(condition: Tensor, a: Tensor | Number, b: Tensor | Number) -> Tensor:
    return torch.where(condition, a, b)  # type: ignore[arg-type]


OPERATORS: dict[str, Callable[..., Any]] = {
    "Add": operator.add,
    "BatchNormalization": _batch_normalization,
    "Cast": _cast,
    "Clip": _clip,
    "Concat": _concat,
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "DepthToSpace": _depth_to_space,
    "Div": _divide,
    "Exp": _exp,
    "Greater": operator.gt,
    "Identity": _identity,
    "Mul": operator.mul,
    "Pow": operator.pow,
    "ReduceSum": _reduce_sum,
    "Relu": _relu,
    "Round": _round,
    "Slice": _slice,
    "Sub": operator.sub,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
    "Where": _where,
}
