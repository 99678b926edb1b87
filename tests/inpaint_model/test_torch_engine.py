"""The torch engine computes what the file says, and refuses by name what it does not know."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

from inpaint_model import UserError, open_inpainter
from inpaint_model.artefacts import WEIGHTS_DIR
from inpaint_model.engines import torch as torch_engine
from inpaint_model.engines.nvidia import Gpu, NvidiaState


@pytest.mark.parametrize("model", ["fast", "paper"])
def test_the_shipped_files_give_the_same_as_onnxruntime(model, crops, holes):
    path = WEIGHTS_DIR / f"{model}.onnx"
    with open_inpainter(path, "torch") as one, open_inpainter(path, "onnxruntime") as two:
        out, expected = one(crops[:2], holes[:2]), two(crops[:2], holes[:2])
    assert np.array_equal(out[holes[:2] == 0], crops[:2][holes[:2] == 0])
    assert np.abs(out.astype(int) - expected).max() <= 2


def test_a_name_with_an_int8_twin_takes_the_full_precision(crops, holes):
    if torch.cuda.is_available():
        pytest.skip("on a GPU it is fp16")
    with open_inpainter("fast", "torch", threads=1) as inpainter:
        assert inpainter.precision == "fp32"
        assert inpainter(crops, holes).shape == crops.shape


@pytest.mark.parametrize(
    ("operators", "message"),
    [
        ([("Mod", ["crops", "crops"], "filled", {})], "operator Mod"),
        (
            [
                ("Cast", ["crops"], "f", {"to": TensorProto.FLOAT}),
                ("Shape", ["holes"], "ends", {}),
                ("Slice", ["f", "ends", "ends", "ends"], "filled", {}),
            ],
            "operator Shape",
        ),
    ],
)
def test_an_operator_it_does_not_know_is_named(operators, message, tmp_path: Path):
    nodes = [helper.make_node(op, i, [o], **attributes) for op, i, o, attributes in operators]
    values = [
        helper.make_tensor_value_info("crops", TensorProto.UINT8, ["N", 128, 128, 3]),
        helper.make_tensor_value_info("holes", TensorProto.UINT8, ["N", 128, 128]),
    ]
    out = helper.make_tensor_value_info("filled", TensorProto.UINT8, ["N", 128, 128, 3])
    path = tmp_path / "odd.onnx"
    onnx.save(helper.make_model(helper.make_graph(nodes, "odd", values, [out])), path)
    with pytest.raises(UserError, match=message):
        open_inpainter(path, "torch")


def test_a_quantised_file_is_refused():
    with pytest.raises(UserError, match="is quantised"):
        open_inpainter(WEIGHTS_DIR / "fast.int8.onnx", "torch")


def test_a_card_that_torch_cannot_use_is_named(monkeypatch):
    card = Gpu("NVIDIA GeForce RTX 4090", (8, 9), "13.0")
    monkeypatch.setattr(torch_engine, "find_gpu", lambda: NvidiaState(card))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    status = torch_engine.TorchEngine().probe()
    assert status.usable and not status.accelerated
    assert "RTX 4090 (sm_89) is not used" in status.detail
    assert "CUDA" in status.mend


def test_without_torch_there_is_a_mend(monkeypatch, tiny_onnx):
    monkeypatch.setattr(torch_engine.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="torch is not installed; pip install torch"):
        open_inpainter(tiny_onnx, "torch")


@pytest.mark.gpu
def test_on_a_gpu_every_batch_size_agrees_with_the_cpu():
    if not torch.cuda.is_available():
        pytest.skip("torch finds no CUDA GPU")
    rng = np.random.default_rng(0)
    crops = rng.integers(0, 256, (70, 128, 128, 3), dtype=np.uint8)
    holes = np.zeros((70, 128, 128), np.uint8)
    holes[:, 60:120, 30:100] = 1
    path = WEIGHTS_DIR / "fast.onnx"
    with open_inpainter(path, "torch") as gpu, open_inpainter(path, "onnxruntime") as cpu:
        assert gpu.precision == "fp16"
        for count in (1, 2, 3, 5, 9, 17, 33, 70):
            apart = gpu(crops[:count], holes[:count]).astype(int) - cpu(
                crops[:count], holes[:count]
            )
            assert np.abs(apart).max() <= 3
