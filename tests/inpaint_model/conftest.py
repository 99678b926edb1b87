"""A tiny generator with the shipped ones' interface, and crops for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper


@pytest.fixture(scope="session")
def tiny_onnx(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two convolutions between the same bytes-in, bytes-out ends as the shipped models."""
    path = tmp_path_factory.mktemp("model") / "tiny.onnx"
    _save_generator(path)
    return path


@pytest.fixture(scope="session")
def careless_onnx(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same without compositing: it changes pixels outside the hole."""
    path = tmp_path_factory.mktemp("model") / "careless.onnx"
    _save_generator(path, composite=False)
    return path


def _save_generator(path: Path, *, composite: bool = True) -> None:
    rng = np.random.default_rng(1)
    constants = {
        "half": np.float32(127.5),
        "one": np.float32(1),
        "low": np.float32(0),
        "high": np.float32(255),
        "axis1": np.array([1]),
        "axis3": np.array([3]),
        "w1": rng.normal(0, 0.1, (8, 4, 5, 5)).astype(np.float32),
        "w2": rng.normal(0, 0.1, (12, 8, 3, 3)).astype(np.float32),
    }
    steps = [
        ("Cast", ["crops"], "known_levels", {"to": TensorProto.FLOAT}),
        ("Transpose", ["known_levels"], "planes", {"perm": [0, 3, 1, 2]}),
        ("Div", ["planes", "half"], "scaled", {}),
        ("Sub", ["scaled", "one"], "centred", {}),
        ("Cast", ["holes"], "hole_levels", {"to": TensorProto.FLOAT}),
        ("Clip", ["hole_levels", "", "one"], "flag3", {}),
        ("Unsqueeze", ["flag3", "axis1"], "flag", {}),
        ("Sub", ["one", "flag"], "known", {}),
        ("Mul", ["centred", "known"], "given", {}),
        ("Concat", ["given", "flag"], "input", {"axis": 1}),
        ("Conv", ["input", "w1"], "c1", {"pads": [2, 2, 2, 2], "strides": [2, 2]}),
        ("Relu", ["c1"], "r1", {}),
        ("Conv", ["r1", "w2"], "c2", {"pads": [1, 1, 1, 1]}),
        ("DepthToSpace", ["c2"], "rgb", {"blocksize": 2, "mode": "CRD"}),
        ("Add", ["rgb", "one"], "shifted", {}),
        ("Mul", ["shifted", "half"], "levels", {}),
        ("Round", ["levels"], "rounded", {}),
        ("Clip", ["rounded", "low", "high"], "clipped", {}),
        ("Transpose", ["clipped"], "last", {"perm": [0, 2, 3, 1]}),
    ]
    if composite:
        steps += [
            ("Unsqueeze", ["flag3", "axis3"], "hole_last", {}),
            ("Greater", ["hole_last", "low"], "inside", {}),
            ("Where", ["inside", "last", "known_levels"], "composited", {}),
        ]
    steps.append(("Cast", [steps[-1][2]], "filled", {"to": TensorProto.UINT8}))
    graph = helper.make_graph(
        [
            helper.make_node(op, i, [o], name=f"n_{o}", **attributes)
            for op, i, o, attributes in steps
        ],
        "tiny",
        [
            helper.make_tensor_value_info("crops", TensorProto.UINT8, ["N", 128, 128, 3]),
            helper.make_tensor_value_info("holes", TensorProto.UINT8, ["N", 128, 128]),
        ],
        [helper.make_tensor_value_info("filled", TensorProto.UINT8, ["N", 128, 128, 3])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)


@pytest.fixture(scope="session")
def crops(astronaut_rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Five cuts of the photograph, uint8 [5, 128, 128, 3]."""
    return np.stack([astronaut_rgb[y : y + 128, 160 : 160 + 128] for y in range(40, 240, 40)])


@pytest.fixture(scope="session")
def holes() -> NDArray[np.uint8]:
    """Five holes of different places, values 0 and 200, uint8 [5, 128, 128]."""
    out = np.zeros((5, 128, 128), dtype=np.uint8)
    for index in range(5):
        out[index, 50 + 5 * index : 120, 20:100] = 200
    return out
