"""An exported generator comes back as its torch network, and computes the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from inpaint_model import UserError
from inpaint_model.artefacts import WEIGHTS_DIR
from inpaint_model.networks.fast import FastGenerator
from inpaint_model.networks.paper import PaperGenerator
from tests.trainer.network_making import seasoned
from trainer.augment.holes import draw_protocol
from trainer.data.face_set import FaceSet
from trainer.evaluate.fill_crops import fill
from trainer.export.from_onnx import network_of
from trainer.export.onnx_export import export_generator


@pytest.mark.parametrize("kind", ["student", "two autoencoders", "one, balanced"])
def test_comes_back_the_same(kind: str, faces: FaceSet, tmp_path: Path):
    torch.manual_seed(3)
    net = {
        "student": FastGenerator,
        "two autoencoders": lambda: PaperGenerator(2, 8),
        "one, balanced": lambda: PaperGenerator(1, 8, balance=True),
    }[kind]()
    holes, _ = draw_protocol(faces, "face-mask")
    crops, holes = faces.crops[:3], holes[:3]
    path = tmp_path / "net.onnx"
    export_generator(seasoned(net), path, crops, holes)
    again = network_of(path)
    assert type(again) is type(net)
    difference = np.abs(fill(again, crops, holes).astype(int) - fill(net, crops, holes))
    assert difference.max() <= 1
    assert [k for k, _ in again.named_parameters()] == [k for k, _ in net.named_parameters()]


def test_what_is_no_float_generator_of_ours_is_refused(tmp_path: Path):
    with pytest.raises(UserError, match="is quantised"):
        network_of(WEIGHTS_DIR / "fast.int8.onnx")
