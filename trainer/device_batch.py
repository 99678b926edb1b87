"""Moves a batch, a dataclass of arrays and tensors, to a device without waiting for it."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

T = TypeVar("T")


def to_device(batch: T, device: torch.device) -> T:
    """Return the batch as tensors on a device; a GPU copies from pinned memory while the host goes on.

    Args:
        batch: a dataclass; its arrays and tuples of numbers become tensors.
        device: where the tensors go.
    """
    return replace(batch, **{name: send(x, device) for name, x in _values(batch).items()})  # type: ignore[type-var]


def clone(batch: T) -> T:
    """Copy the tensors of a batch from `to_device`."""
    return replace(batch, **{name: x.clone() for name, x in _values(batch).items()})  # type: ignore[type-var]


def copy_into(target: T, batch: T) -> None:
    """Overwrite the tensors of `target` by those of another batch of the same shapes."""
    new = _values(batch)
    for name, tensor in _values(target).items():
        tensor.copy_(new[name], non_blocking=True)


def _values(batch: Any) -> dict[str, Any]:
    found = {field.name: getattr(batch, field.name) for field in fields(batch)}
    return {name: value for name, value in found.items() if value is not None}


def send(value: Any, device: torch.device) -> Tensor:
    """Return an array, tensor or tuple of numbers as a tensor on a device, without waiting for it."""
    tensor = torch.from_numpy(value) if isinstance(value, np.ndarray) else torch.as_tensor(value)
    if device.type == "cuda" and not tensor.is_cuda:
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)
