"""TFLite export: the file computes what the trained network does, and MediaPipe runs it too."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from mediapipe.tasks.metadata import schema_py_generated as schema
from torch import nn

from inpaint_model.errors import UserError
from inpaint_model.networks.segmenter import MaskSegmenterNet
from realtime.segment.segmenter import MaskSegmenter
from trainer.data.face_set import FaceSet
from trainer.export.tflite_export import export_segmenter, write_graph

# In a process of its own: on Linux 6.19 MediaPipe's allocator breaks others (google/tcmalloc issue 292).
_RUN_IN_MEDIAPIPE = """
import sys
import mediapipe as mp
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision
path, crop, masks = sys.argv[1:]
options = vision.ImageSegmenterOptions(
    base_options=BaseOptions(model_asset_path=path),
    output_confidence_masks=True,
    output_category_mask=False,
)
with vision.ImageSegmenter.create_from_options(options) as segmenter:
    assert list(segmenter.labels) == ["background", "mask"]
    found = segmenter.segment(mp.Image(image_format=mp.ImageFormat.SRGB, data=np.load(crop)))
    np.save(masks, [np.squeeze(mask.numpy_view()) for mask in found.confidence_masks])
"""


@pytest.fixture(scope="module")
def net() -> MaskSegmenterNet:
    """Untrained, with random batch-norm statistics and logits that differ by place."""
    torch.manual_seed(0)
    net = MaskSegmenterNet()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d) and module.running_mean is not None:
            nn.init.uniform_(module.running_mean, -0.3, 0.3)
            nn.init.uniform_(module.bias, -0.5, 0.5)
    nn.init.normal_(net.logits.weight, std=0.5)
    return net.eval()


def test_export_segmenter_keeps_parity(net: MaskSegmenterNet, faces: FaceSet, tmp_path: Path):
    out = tmp_path / "segmenter.tflite"
    parity = export_segmenter(net, out, faces.crops[:6])
    assert parity.largest < 1e-3
    assert parity.iou > 0.99
    with MaskSegmenter(out) as segmenter:
        found = segmenter(faces.crops[0])
    assert found.std() > 0.05  # the comparison was not of two flat pictures


def test_exported_segmenter_runs_in_mediapipe_too(
    net: MaskSegmenterNet, faces: FaceSet, tmp_path: Path
):
    out = tmp_path / "segmenter.tflite"
    export_segmenter(net, out, faces.crops[:1])
    crop, masks = tmp_path / "crop.npy", tmp_path / "masks.npy"
    np.save(crop, faces.crops[0])
    command = [sys.executable, "-c", _RUN_IN_MEDIAPIPE, str(out), str(crop), str(masks)]
    subprocess.run(command, check=True, capture_output=True)
    background, mask = np.load(masks)
    np.testing.assert_allclose(background + mask, 1, atol=1e-5)
    with MaskSegmenter(out) as segmenter:
        np.testing.assert_allclose(segmenter(faces.crops[0]), mask, atol=1e-4)


def test_export_segmenter_is_deterministic(
    net: MaskSegmenterNet, faces: FaceSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    export_segmenter(net, tmp_path / "first.tflite", faces.crops[:1])
    monkeypatch.setattr(time, "time", lambda: 1e9)  # another day
    export_segmenter(net, tmp_path / "deeper" / "second.tflite", faces.crops[:1])
    first = (tmp_path / "first.tflite").read_bytes()
    assert first == (tmp_path / "deeper" / "second.tflite").read_bytes()


def test_exported_segmenter_aligns_weights(net: MaskSegmenterNet, faces: FaceSet, tmp_path: Path):
    out = tmp_path / "segmenter.tflite"
    export_segmenter(net, out, faces.crops[:1])
    model = schema.Model.GetRootAs(out.read_bytes(), 0)
    buffers = [model.Buffers(n) for n in range(model.BuffersLength())]
    starts = [b._tab.Vector(b._tab.Offset(4)) for b in buffers if b is not None and b.DataLength()]
    assert len(starts) > 20
    assert not any(start % 16 for start in starts)


def test_export_segmenter_differing_writes_nothing(
    net: MaskSegmenterNet, faces: FaceSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    other = MaskSegmenterNet().eval()
    monkeypatch.setattr("trainer.export.tflite_export.write_graph", lambda _: write_graph(other))
    with pytest.raises(RuntimeError, match="differ"):
        export_segmenter(net, tmp_path / "segmenter.tflite", faces.crops[:2])
    assert list(tmp_path.iterdir()) == []


def test_export_segmenter_refuses_other_networks(tmp_path: Path):
    with pytest.raises(UserError, match="MaskSegmenterNet"):
        export_segmenter(nn.Identity(), tmp_path / "x.tflite", np.zeros((1, 128, 128, 3), np.uint8))


@pytest.mark.parametrize(
    "crops",
    [
        np.zeros((0, 128, 128, 3), np.uint8),
        np.zeros((1, 96, 96, 3), np.uint8),
        np.zeros((128, 128, 3), np.uint8),
        np.zeros((1, 128, 128, 3), np.float32),
    ],
    ids=["none", "small", "one without N", "float"],
)
def test_export_segmenter_refuses_wrong_crops(
    net: MaskSegmenterNet, tmp_path: Path, crops: np.ndarray
):
    with pytest.raises(UserError, match="uint8 crops"):
        export_segmenter(net, tmp_path / "x.tflite", crops)
    assert list(tmp_path.iterdir()) == []


def test_mask_segmenter_of_broken_file_is_refused(tmp_path: Path):
    path = tmp_path / "broken.tflite"
    path.write_bytes(b"not a model")
    with pytest.raises(UserError, match=r"broken\.tflite"):
        MaskSegmenter(path)
    with pytest.raises(UserError, match="missing"):
        MaskSegmenter(tmp_path / "none.tflite")
