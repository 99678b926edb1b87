"""The segmenter's TFLite file: run by MediaPipe it is the trained network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from inpaint_model.errors import UserError
from inpaint_model.segmenter import MaskSegmenterNet
from realtime.segmentation import MaskSegmenter
from trainer.faceset import FaceSet
from trainer.tflite import export_segmenter, write_graph


@pytest.fixture(scope="module")
def net() -> MaskSegmenterNet:
    """Untrained, but with batch-norm figures that matter and logits that differ by place."""
    torch.manual_seed(0)
    net = MaskSegmenterNet()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d) and module.running_mean is not None:
            nn.init.uniform_(module.running_mean, -0.3, 0.3)
            nn.init.uniform_(module.bias, -0.5, 0.5)
    nn.init.normal_(net.logits.weight, std=0.5)
    return net.eval()


def test_parity_in_mediapipe(net: MaskSegmenterNet, faces: FaceSet, tmp_path: Path):
    out = tmp_path / "segmenter.tflite"
    parity = export_segmenter(net, out, faces.crops[:6])
    assert parity.largest < 1e-3
    assert parity.iou > 0.99
    with MaskSegmenter(out) as segmenter:
        found = segmenter(faces.crops[0])
    assert found.std() > 0.05  # the comparison was not of two flat pictures


def test_a_file_that_differs_is_not_written(
    net: MaskSegmenterNet, faces: FaceSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    other = MaskSegmenterNet().eval()
    monkeypatch.setattr("trainer.tflite.write_graph", lambda _: write_graph(other))
    with pytest.raises(RuntimeError, match="differ"):
        export_segmenter(net, tmp_path / "segmenter.tflite", faces.crops[:2])
    assert list(tmp_path.iterdir()) == []


def test_other_networks_are_refused(tmp_path: Path):
    with pytest.raises(UserError, match="MaskSegmenterNet"):
        export_segmenter(nn.Identity(), tmp_path / "x.tflite", np.zeros((1, 128, 128, 3), np.uint8))


def test_a_file_that_is_no_model_is_named(tmp_path: Path):
    path = tmp_path / "broken.tflite"
    path.write_bytes(b"not a model")
    with pytest.raises(UserError, match=r"broken\.tflite"):
        MaskSegmenter(path)
    with pytest.raises(UserError, match="missing"):
        MaskSegmenter(tmp_path / "none.tflite")
