"""The small networks for training: what they are given and what they give."""

from __future__ import annotations

import onnx
import pytest
import torch

from inpaint_model.artefacts import find_face_aligner
from inpaint_model.networks.face_aligner import FaceAlignerNet
from inpaint_model.networks.segmenter import MaskSegmenterNet


def test_segmenter_logits_are_two_margins_of_one_decision():
    torch.manual_seed(0)
    net = MaskSegmenterNet((4, 4, 8, 8), 4).eval()
    with torch.no_grad():
        logits = net(torch.rand(2, 3, 32, 32) * 2 - 1)
    assert logits.shape == (2, 2, 32, 32)
    assert torch.allclose(logits[:, 0], -logits[:, 1], atol=1e-6)
    assert logits.abs().max() > 1e-3


def test_segmenter_is_the_mean_of_coarse_and_fine():
    torch.manual_seed(0)
    net = MaskSegmenterNet((4, 4, 8, 8), 4).eval()
    crops = torch.rand(1, 3, 32, 32) * 2 - 1
    with torch.no_grad():
        for layer, margin in ((net.logits, 3.0), (net.corrections, 1.0)):
            assert layer.bias is not None
            layer.weight.zero_()
            layer.bias.copy_(torch.tensor([0.0, margin]))
        assert net(crops)[0, 1].mean().item() == pytest.approx(2)


def test_face_aligner_has_the_layers_of_the_shipped_one():
    graph = onnx.load(find_face_aligner().path).graph
    shapes = {item.name: list(item.dims) for item in graph.initializer}
    shipped = [shapes[node.input[1]] for node in graph.node if node.op_type == "Conv"]
    layers = [m for m in FaceAlignerNet().modules() if isinstance(m, torch.nn.Conv2d)]
    assert [list(layer.weight.shape) for layer in layers] == shipped


def test_face_aligner_sees_levels_as_minus_one_to_one():
    net = FaceAlignerNet((4, 4, 8, 8)).eval()
    given: list[torch.Tensor] = []
    net.body.register_forward_hook(lambda _, inputs, __: given.append(inputs[0]))
    squares = torch.zeros(2, 64, 64, 3)
    squares[1] = 255
    with torch.no_grad():
        assert net(squares).shape == (2, 6)
    assert given[0].shape == (2, 3, 64, 64)
    assert given[0].flatten(1).mean(1).tolist() == pytest.approx([-1, 1])
