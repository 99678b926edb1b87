"""Small recognisers of the form that users have: ONNX files that take aligned crops."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

PATCH_PX = 16  # the embedding is the mean of each patch of this side


def write_recogniser(
    path: Path,
    *,
    shape: Sequence[int | str] = ("N", 3, 112, 112),
    centred_by: float | None = None,
    flat: bool = True,
) -> Path:
    """Write a network whose embedding is the crop's patch means, channel by channel.

    Args:
        path: of the file.
        shape: of its input.
        centred_by: it begins with the subtraction of this level and a multiplication by 2.
        flat: its output is [N, D], else a map.
    """
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    helper, numbers = onnx.helper, onnx.numpy_helper
    level = numbers.from_array(np.array(centred_by or 0, np.float32), "level")
    two = numbers.from_array(np.array(2, np.float32), "two")
    nodes, name = [], "crops"
    if centred_by is not None:
        nodes.append(helper.make_node("Sub", ["crops", "level"], ["centred"]))
        nodes.append(helper.make_node("Mul", ["centred", "two"], ["scaled"]))
        name = "scaled"
    sides = [PATCH_PX, PATCH_PX]
    nodes.append(
        helper.make_node("AveragePool", [name], ["map"], kernel_shape=sides, strides=sides)
    )
    if flat:
        nodes.append(helper.make_node("Flatten", ["map"], ["embedding"]))
    number = onnx.TensorProto.FLOAT
    ends = [
        helper.make_tensor_value_info("crops", number, list(shape)),
        helper.make_tensor_value_info("embedding" if flat else "map", number, None),
    ]
    graph = helper.make_graph(nodes, "recogniser", ends[:1], ends[1:], [level, two])
    opset = [helper.make_opsetid("", 18)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=10), path)
    return path
