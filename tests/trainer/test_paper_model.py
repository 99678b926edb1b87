"""The shipped `paper`: its file holds the paper's network, and computes what torch does in fp32."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import nn

from inpaint_model import open_inpainter
from inpaint_model.artefacts import find_artefact
from inpaint_model.generator import PaperGenerator
from realtime.maskwear import kind_style, silhouette
from trainer.faceset import FaceSet
from trainer.filling import fill


def torch_twin(path: Path) -> PaperGenerator:
    """Build the torch network, fp32, from the weights an exported file holds."""
    graph = onnx.load(path).graph
    arrays = {
        item.name: torch.from_numpy(numpy_helper.to_array(item).astype(np.float32))
        for item in graph.initializer
    }
    found = [node for node in graph.node if node.op_type in ("Conv", "ConvTranspose")]
    norms = {node.input[0]: node for node in graph.node if node.op_type == "BatchNormalization"}
    net = PaperGenerator(2, len(arrays[found[0].input[1]]), balance=True)
    modules = list(net.modules())
    layers = [m for m in modules if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
    assert len(found) == len(layers)
    for node, layer in zip(found, layers, strict=True):
        layer.weight.data = arrays[node.input[1]]
        following = modules[modules.index(layer) + 1 : modules.index(layer) + 2]
        bias = arrays[node.input[2]] if len(node.input) > 2 else None
        if layer.bias is not None:
            assert bias is not None
            layer.bias.data = bias
        elif following and isinstance(norm := following[0], nn.BatchNorm2d):
            _set_norm(norm, bias, norms.get(node.output[0]), arrays)
    return net.eval()


def _set_norm(
    norm: nn.BatchNorm2d,
    bias: torch.Tensor | None,
    node: onnx.NodeProto | None,
    arrays: dict[str, torch.Tensor],
) -> None:
    if node is not None:
        values = [arrays[name] for name in node.input[1:5]]
    else:  # folded into the convolution: all that is left is its bias
        assert bias is not None
        values = [torch.ones_like(bias), bias, torch.zeros_like(bias), torch.ones_like(bias)]
        norm.eps = 0.0
    norm.weight.data, norm.bias.data, norm.running_mean, norm.running_var = values


@pytest.fixture(scope="module")
def holes(faces: FaceSet) -> NDArray[np.bool_]:
    styles = [kind_style(kind) for kind in ("surgical", "n95")]
    drawn = [
        silhouette(points, styles[index % 2], (128, 128)) > 0
        for index, points in enumerate(faces.landmarks[:4])
    ]
    return np.stack(drawn)


def test_it_is_the_papers_network_in_half_precision():
    path = find_artefact("paper").path
    net = torch_twin(path)
    assert net.width == 64
    assert sum(p.numel() for p in net.parameters()) == pytest.approx(12.2e6, rel=0.005)
    large = [w for w in onnx.load(path).graph.initializer if len(w.dims) == 4]
    assert {w.data_type for w in large} == {onnx.TensorProto.FLOAT16}
    assert path.stat().st_size < 26e6


def test_half_precision_keeps_to_torch(faces: FaceSet, holes: NDArray[np.bool_], tmp_path: Path):
    path = find_artefact("paper").path
    crops = faces.crops[:4]
    truth = fill(torch_twin(path), crops, holes)
    with open_inpainter(path, "onnxruntime") as inpainter:  # the file itself, not its int8 twin
        out = inpainter(crops, holes)
    assert np.array_equal(out[~holes], crops[~holes])
    assert np.abs(out.astype(int) - truth.astype(int))[holes].max() <= 2


def test_the_product_opens_it_by_name(faces: FaceSet, holes: NDArray[np.bool_]):
    with open_inpainter("paper") as paper, open_inpainter("fast") as fast:
        assert paper.model == "paper"
        out, other = paper(faces.crops[:4], holes), fast(faces.crops[:4], holes)
    assert np.array_equal(out[~holes], faces.crops[:4][~holes])
    error = [
        np.abs(filled.astype(int) - faces.crops[:4].astype(int))[holes].mean()
        for filled in (out, other)
    ]
    grey = np.abs(127 - faces.crops[:4].astype(int))[holes].mean()
    assert max(error) < grey / 2
