"""A file that holds no generator of this project is refused; `trainer.export` tests the others."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from inpaint_model import UserError
from inpaint_model.model_files import WEIGHTS_DIR
from inpaint_model.networks.from_onnx import generator_from_onnx


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
