"""The small networks for training: what they are given and what they give."""

from __future__ import annotations

from collections.abc import Callable

import onnx
import pytest
import torch

from inpaint_model.artefacts import find_face_aligner, find_refiner
from inpaint_model.model_files import Artefact
from inpaint_model.networks.face_aligner import FaceAlignerNet
from inpaint_model.networks.refiner import RefinerNet
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


@pytest.mark.parametrize(
    ("find", "kind"), [(find_face_aligner, FaceAlignerNet), (find_refiner, RefinerNet)]
)
def test_networks_have_the_layers_of_the_shipped_ones(
    find: Callable[[], Artefact], kind: type[torch.nn.Module]
):
    graph = onnx.load(find().path).graph
    shapes = {item.name: list(item.dims) for item in graph.initializer}
    shipped = [shapes[node.input[1]] for node in graph.node if node.op_type == "Conv"]
    layers = [m for m in kind().modules() if isinstance(m, torch.nn.Conv2d)]
    assert [list(layer.weight.shape) for layer in layers] == shipped


def _refined(patches: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """Refine by a network that has an output bias alone: the gains of three bands and new detail."""
    net = RefinerNet(4, (1,)).eval()
    with torch.no_grad():
        assert net.end.bias is not None
        net.end.bias.copy_(bias.repeat_interleave(16))
        return net(patches)


def _patches() -> torch.Tensor:
    """Noise, of which the right half is a fill."""
    torch.manual_seed(0)
    patches = torch.rand(2, 64, 64, 4) * 255
    patches[..., 3] = 0
    patches[:, :, 32:, 3] = 1
    return patches


def test_refiner_adds_nothing_before_its_training_and_outside_fills():
    patches = _patches()
    assert not _refined(patches, torch.zeros(6)).any()
    detail = _refined(patches, torch.tensor([0.2, 0, 0, 0, 0, 0]))
    assert detail.shape == (2, 64, 64, 3)
    assert not detail[:, :, :32].any() and detail[:, :, 32:].std() > 5


def test_refiner_gain_amplifies_the_finest_band():
    patches = _patches()
    detail = _refined(patches, torch.tensor([0.25, 0, 0, 0, 0, 0]))
    planes = patches[..., :3].permute(0, 3, 1, 2)
    fine = planes - torch.nn.functional.avg_pool2d(planes, 3, 1, 1, count_include_pad=False)
    inside = (..., slice(8, 56), slice(40, 56))
    got = detail.permute(0, 3, 1, 2)[inside]
    # What is taken off is the mean over 12 pixels.
    assert (got - fine[inside]).abs().mean() < 0.1 * fine[inside].abs().mean()


def test_refiner_keeps_the_colours():
    detail = _refined(_patches(), torch.tensor([0, 0, 0, 0.5, -0.5, 0.1]))
    assert detail.abs().max() < 1e-3


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
