"""ONNX export: parity with torch in ONNX Runtime, unchanged known pixels, and the way back."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from inpaint_model.networks.byte_generator import ByteGenerator
from inpaint_model.networks.fast import FastGenerator, fast_widths
from inpaint_model.networks.from_onnx import generator_from_onnx
from inpaint_model.networks.layers import flops, fuse_batch_norms
from inpaint_model.networks.paper import PaperGenerator
from tests.trainer.networks import randomise_batch_norms
from trainer.augment.holes import draw_protocol
from trainer.data.face_set import FaceSet
from trainer.export.onnx_export import Parity, export_generator


@pytest.fixture(scope="module", params=["fast", "paper"])
def exported(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, faces: FaceSet
):
    half = request.param == "paper"
    torch.manual_seed(0)
    net = PaperGenerator(1, 8, balance=True) if half else FastGenerator(fast_widths(8))
    randomise_batch_norms(net)
    path = tmp_path_factory.mktemp("export") / "generator.onnx"
    holes, _ = draw_protocol(faces, "face-mask")
    parity = export_generator(net, path, faces.crops[:6], holes[:6], half=half)
    return path, parity, holes, half, net


def test_export_generator_keeps_parity(exported):
    _, parity, _, half, _ = exported
    assert parity.largest <= (2 if half else 1)


def test_exported_weights_have_the_precision(exported):
    path, _, _, half, _ = exported
    graph = onnx.load(path).graph
    convolutions = {n.input[1] for n in graph.node if n.op_type in ("Conv", "ConvTranspose")}
    weights = [w for w in graph.initializer if w.name in convolutions]
    wanted = onnx.TensorProto.FLOAT16 if half else onnx.TensorProto.FLOAT
    assert len(weights) >= 15
    assert {w.data_type for w in weights} == {wanted}


def test_export_generator_keeps_the_network(exported):
    assert {p.dtype for p in exported[-1].parameters()} == {torch.float32}


def test_generator_from_onnx_computes_the_same(exported, faces: FaceSet):
    path, _, holes, half, net = exported
    again = generator_from_onnx(path)
    assert type(again) is type(net)
    assert [k for k, _ in again.named_parameters()] == [k for k, _ in net.named_parameters()]
    given = torch.from_numpy(faces.crops[:4]), torch.from_numpy(holes[:4].astype(np.uint8))
    with torch.no_grad():
        expected = ByteGenerator(net)(*given).int()
        assert (ByteGenerator(again)(*given) - expected).abs().max() <= (2 if half else 1)
        fuse_batch_norms(again)
        assert (ByteGenerator(again)(*given) - expected).abs().max() <= (2 if half else 1)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in again.modules())


@pytest.mark.parametrize("count", [1, 3])
def test_exported_file_keeps_known_pixels(exported, faces: FaceSet, count: int):
    path, _, holes, _, _ = exported
    session = onnxruntime.InferenceSession(str(path))
    feed = {"crops": faces.crops[:count], "holes": holes[:count].astype(np.uint8) * 255}
    out = np.asarray(session.run(["filled"], feed)[0])
    assert out.dtype == np.uint8
    assert np.array_equal(out[~holes[:count]], faces.crops[:count][~holes[:count]])


def test_parity_check_refuses_a_difference():
    with pytest.raises(RuntimeError, match="differ by 9/255"):
        Parity(9, 1.0).check("fast.onnx", "fp32")


def test_flops_of_fast_stay_below_twice_those_of_its_first_form():
    assert 1.0 < flops(FastGenerator()) < 1.8  # GFLOP
