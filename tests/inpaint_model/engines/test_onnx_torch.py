"""An ONNX graph run with torch computes what ONNX Runtime does; what it cannot run it names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from inpaint_model.artefacts import WEIGHTS_DIR
from inpaint_model.engines.onnx_torch import OnnxGenerator
from inpaint_model.errors import UserError

Step = tuple[str, list[str], str, dict[str, Any]]
RNG = np.random.default_rng(3)
FLOATS: list[Step] = [
    ("Cast", ["crops"], "levels", {"to": TensorProto.FLOAT}),
    ("Transpose", ["levels"], "x", {"perm": [0, 3, 1, 2]}),
]


def save(path: Path, steps: Sequence[Step], constants: dict[str, Any], domain: str = "") -> Path:
    """Write a graph of these nodes between crops, holes and filled, whatever it computes."""
    used = {name for _, inputs, _, _ in steps for name in inputs}
    kinds = {"crops": ["N", 128, 128, 3], "holes": ["N", 128, 128], "filled": None}
    values = {k: helper.make_tensor_value_info(k, TensorProto.UINT8, v) for k, v in kinds.items()}
    graph = helper.make_graph(
        [helper.make_node(op, i, [o], domain=domain, **a) for op, i, o, a in steps],
        "steps",
        [values["crops"], values["holes"]],
        [values["filled"]],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items() if k in used],
    )
    opsets = [helper.make_opsetid("", 17), *([helper.make_opsetid(domain, 1)] if domain else [])]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


def apart(path: Path, *, full: bool = True, count: int = 3) -> int:
    """Return the largest difference from ONNX Runtime, in levels."""
    crops = RNG.integers(0, 256, (count, 128, 128, 3), dtype=np.uint8)
    holes = RNG.integers(0, 2, (count, 128, 128), dtype=np.uint8)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    expected = np.asarray(session.run(None, {"crops": crops, "holes": holes})[0])
    out = OnnxGenerator(path, full=full)(torch.tensor(crops), torch.tensor(holes))
    assert out.shape == expected.shape
    assert out.dtype == torch.uint8
    return int(np.abs(out.numpy().astype(int) - expected).max())


NORM = {k: RNG.uniform(0.5, 1.5, 4).astype(np.float32) for k in ("scale", "shift", "mean", "var")}
CONSTANTS: dict[str, Any] = {
    **NORM,
    "w": RNG.normal(0, 0.1, (4, 3, 3, 3)).astype(np.float32),
    "bias": RNG.normal(10, 3, 4).astype(np.float32),
    "depthwise": RNG.normal(0, 0.3, (4, 1, 3, 3)).astype(np.float32),
    "up": RNG.normal(0, 0.1, (3, 4, 4, 4)).astype(np.float32),
    "w12": RNG.normal(0, 0.1, (12, 3, 1, 1)).astype(np.float32),
    "tint": np.array([[[0.5]], [[1.0]], [[1.2]]], dtype=np.float32),
    "half": np.float32(0.5),
    "two": np.float32(2),
    "low": np.float32(30.25),
    "high": np.float32(200),
    "two_u8": np.uint8(2),
    "three_u8": np.uint8(3),
    "from": np.array([-100, 3]),
    "to": np.array([2**62, -5]),
    "axes": np.array([-2, 3]),
    "steps": np.array([2, 3]),
    "axis": np.array([-1]),
    "first": np.array([1, -2]),
    "end": np.array([3, 3]),
    "outer": np.array([0, -1]),
}
GRAPHS: dict[str, list[Step]] = {
    "a norm after a convolution": [
        ("Conv", ["x", "w", "bias"], "c", {"pads": [1, 1, 1, 1]}),
        ("BatchNormalization", ["c", *NORM], "y", {"epsilon": 1e-3}),
    ],
    "a norm whose convolution is used elsewhere": [
        ("Conv", ["x", "w"], "c", {}),
        ("BatchNormalization", ["c", *NORM], "n", {}),
        ("Add", ["c", "n"], "y", {}),
    ],
    "a norm after a grouped convolution": [
        ("Conv", ["x", "w"], "c", {}),
        ("Conv", ["c", "depthwise"], "d", {"group": 4, "dilations": [2, 2]}),
        ("BatchNormalization", ["d", *NORM], "y", {}),
    ],
    "a norm after a transposed convolution": [
        ("ConvTranspose", ["x", "up"], "c", {"strides": [2, 2], "pads": [1, 1, 1, 1]}),
        ("BatchNormalization", ["c", *NORM], "y", {}),
    ],
    "a transposed convolution with padding of its output": [
        ("ConvTranspose", ["x", "up"], "y", {"strides": [2, 2], "output_padding": [1, 1]})
    ],
    "a convolution with unequal pads": [
        ("Conv", ["x", "w"], "y", {"pads": [0, 1, 2, 3], "strides": [2, 1], "auto_pad": "NOTSET"})
    ],
    "depth to space, block by block": [
        ("Conv", ["x", "w12"], "c", {}),
        ("DepthToSpace", ["c"], "y", {"blocksize": 2}),
    ],
    "depth to space, colour by colour": [
        ("Conv", ["x", "w12"], "c", {}),
        ("DepthToSpace", ["c"], "y", {"blocksize": 2, "mode": "CRD"}),
    ],
    "halves rounded to even": [("Mul", ["x", "half"], "h", {}), ("Round", ["h"], "y", {})],
    "a slice with steps": [("Slice", ["x", "from", "to", "axes", "steps"], "y", {})],
    "a slice of the first axes": [("Slice", ["x", "first", "end"], "y", {})],
    "a power of a number, and constants of constants": [
        ("Mul", ["half", "two"], "one", {}),
        ("Identity", ["tint"], "same", {}),
        ("Div", ["x", "high"], "d", {}),
        ("Add", ["d", "one"], "e", {}),
        ("Pow", ["e", "same"], "p", {}),
        ("Pow", ["two", "p"], "y", {}),
    ],
    "bounds one by one": [
        ("Clip", ["x", "low", ""], "a", {}),
        ("Clip", ["a", "", "high"], "b", {}),
        ("Clip", ["b"], "y", {}),
    ],
    "a sum over all": [
        ("ReduceSum", ["x", "outer"], "s", {"keepdims": 0}),
        ("ReduceSum", ["s"], "t", {}),
        ("Sub", ["x", "t"], "u", {}),
        ("Add", ["u", "t"], "y", {}),
    ],
    "numbers on the left, and a choice between one and a tensor": [
        ("Sub", ["high", "x"], "a", {}),
        ("Greater", ["low", "a"], "g", {}),
        ("Where", ["g", "high", "a"], "y", {}),
    ],
}
BYTES: dict[str, list[Step]] = {
    "whole numbers wrap around and divide without a rest": [
        ("Mul", ["crops", "three_u8"], "m", {}),
        ("Div", ["m", "two_u8"], "filled", {}),
    ],
    "bytes are clipped and chosen": [
        ("Unsqueeze", ["holes", "axis"], "h", {}),
        ("Clip", ["crops", "two_u8", ""], "c", {}),
        ("Greater", ["h", "two_u8"], "g", {}),
        ("Where", ["g", "crops", "c"], "filled", {}),
    ],
}


@pytest.mark.parametrize("name", GRAPHS)
def test_computes_what_onnxruntime_does(name, tmp_path):
    last: list[Step] = [
        ("Clip", ["y", "", "high"], "top", {}),
        ("Relu", ["top"], "floor", {}),
        ("Cast", ["floor"], "filled", {"to": TensorProto.UINT8}),
    ]
    assert apart(save(tmp_path / "g.onnx", FLOATS + GRAPHS[name] + last, CONSTANTS)) <= 1


@pytest.mark.parametrize("name", BYTES)
def test_bytes_stay_bytes(name, tmp_path):
    assert apart(save(tmp_path / "g.onnx", BYTES[name], CONSTANTS)) == 0


@pytest.mark.parametrize("count", [1, 4])
def test_the_tiny_model(tiny_onnx, count):
    assert apart(tiny_onnx, count=count) <= 1


def test_norms_and_constants_are_folded_and_nothing_is_kept_for_long(tmp_path):
    network = OnnxGenerator(WEIGHTS_DIR / "fast.onnx", full=True)
    assert not any("batch_norm" in repr(step.run) for step in network._steps)
    ended = [name for step in network._steps for name in step.finished]
    assert len(ended) == len(set(ended)) == len(network._steps) + 1  # all but filled, and inputs


@pytest.mark.parametrize("full", [True, False])
def test_fp16_is_kept_or_widened(full):
    network = OnnxGenerator(WEIGHTS_DIR / "fast.onnx", full=full)
    kinds = {value.dtype for value in network.buffers()}
    assert (torch.float16 in kinds) != full
    assert sum(value.numel() for value in network.buffers()) > 2_000_000


@pytest.mark.parametrize("full", [True, False])
def test_nothing_waits_for_a_device(full):
    """The meta device has no values: whatever asked for one would fail."""
    network = OnnxGenerator(WEIGHTS_DIR / "fast.onnx", full=full).to("meta")
    crops = torch.empty((8, 128, 128, 3), dtype=torch.uint8, device="meta")
    out = network(crops, crops[..., 0])
    assert (out.shape, out.dtype) == (crops.shape, torch.uint8)


def test_torch_traces_the_whole_of_it(tiny_onnx):
    network = OnnxGenerator(tiny_onnx, full=True)
    crops = torch.randint(0, 256, (2, 128, 128, 3), dtype=torch.uint8)
    compiled = torch.compile(network, backend="eager", fullgraph=True)
    assert torch.equal(compiled(crops, crops[..., 0]), network(crops, crops[..., 0]))


@pytest.mark.parametrize(
    ("step", "named"),
    [
        (("Mod", ["crops", "two_u8"], "filled", {}), "operator Mod"),
        (("DequantizeLinear", ["crops", "half"], "filled", {}), "is quantised .DequantizeLinear."),
        (("Conv", ["x", "w"], "filled", {"auto_pad": "SAME_UPPER"}), "auto_pad of a Conv"),
        (("Unsqueeze", ["crops", "holes"], "filled", {}), "Unsqueeze only with constant"),
        (("Identity", ["crops"], "other", {}), "inputs crops and holes and the output filled"),
    ],
)
def test_what_it_cannot_run_is_named(step, named, tmp_path):
    path = save(tmp_path / "odd.onnx", [*FLOATS, step], CONSTANTS)
    if step[2] == "other":
        model = onnx.load(path)
        model.graph.output[0].name = "other"
        onnx.save(model, path)
    with pytest.raises(UserError, match=rf"odd\.onnx: .*{named}"):
        OnnxGenerator(path, full=True)


def test_an_operator_of_another_domain_is_another_operator(tmp_path):
    path = save(tmp_path / "own.onnx", [("Relu", ["crops"], "filled", {})], {}, domain="own")
    with pytest.raises(UserError, match=r"operator own\.Relu"):
        OnnxGenerator(path, full=True)


def test_what_it_cannot_obey_is_refused_on_running(tmp_path):
    backwards = {"from": np.array([5]), "to": np.array([0]), "axes": np.array([0])}
    steps: list[Step] = [("Slice", ["crops", "from", "to", "axes", "back"], "filled", {})]
    path = save(tmp_path / "odd.onnx", steps, {**backwards, "back": np.array([-1])})
    crops = torch.zeros((1, 128, 128, 3), dtype=torch.uint8)
    with pytest.raises(UserError, match="backwards"):
        OnnxGenerator(path, full=True)(crops, crops[..., 0])
