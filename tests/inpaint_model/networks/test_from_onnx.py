"""An ONNX generator comes back as its torch network; any other file is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray

from inpaint_model import UserError
from inpaint_model.artefacts import WEIGHTS_DIR
from inpaint_model.networks.byte_generator import ByteGenerator
from inpaint_model.networks.fast import FastGenerator, fast_widths
from inpaint_model.networks.from_onnx import generator_from_onnx
from inpaint_model.networks.layers import fuse_batch_norms
from inpaint_model.networks.paper import PaperGenerator
from tests.trainer.networks import randomise_batch_norms
from trainer.export.onnx_export import export_generator

NETWORKS = {
    "fast": lambda: FastGenerator(fast_widths(8)),
    "two autoencoders": lambda: PaperGenerator(2, 8),
    "one, balanced": lambda: PaperGenerator(1, 8, balance=True),
}


@pytest.mark.parametrize("kind", NETWORKS)
def test_generator_from_onnx_computes_the_same(
    kind: str, crops: NDArray[np.uint8], holes: NDArray[np.uint8], tmp_path: Path
):
    torch.manual_seed(3)
    net = randomise_batch_norms(NETWORKS[kind]())
    path = tmp_path / "net.onnx"
    export_generator(net, path, crops, holes > 0)
    again = generator_from_onnx(path)
    assert type(again) is type(net)
    assert [k for k, _ in again.named_parameters()] == [k for k, _ in net.named_parameters()]
    given = torch.from_numpy(crops), torch.from_numpy(holes)
    with torch.no_grad():
        expected = ByteGenerator(net)(*given).int()
        assert (ByteGenerator(again)(*given) - expected).abs().max() <= 1
        fuse_batch_norms(again)
        assert (ByteGenerator(again)(*given) - expected).abs().max() <= 1
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in again.modules())


def test_generator_from_onnx_quantised_is_refused():
    with pytest.raises(UserError, match="is quantised"):
        generator_from_onnx(WEIGHTS_DIR / "fast.int8.onnx")


@pytest.mark.parametrize("other", ["dilation", "weights", "output"])
def test_generator_from_onnx_other_network_is_refused(other: str, tmp_path: Path):
    model = onnx.load(WEIGHTS_DIR / "fast.onnx")
    convolution = next(node for node in model.graph.node if node.op_type == "Conv")
    if other == "dilation":
        next(item for item in convolution.attribute if item.name == "dilations").ints[0] = 2
    elif other == "weights":
        convolution.input[1] = "computed"
    else:
        model.graph.output[0].name = "other"
    path = tmp_path / "other.onnx"
    onnx.save(model, path)
    with pytest.raises(UserError, match=r"other\.onnx: it holds no generator of this project"):
        generator_from_onnx(path)
