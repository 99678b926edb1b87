"""Refilling an exported file with trained weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from inpaint_model import open_inpainter
from inpaint_model.networks.fast import FastGenerator
from inpaint_model.networks.paper import PaperGenerator
from tests.trainer.networks import randomise_batch_norms
from trainer.augment.holes import draw_protocol
from trainer.data.face_set import FaceSet
from trainer.evaluate.fill_crops import fill
from trainer.export.refill import refill, write_template


def test_refill_gives_the_trained_network(faces: FaceSet, tmp_path: Path):
    torch.manual_seed(0)
    few = faces.crops[:3], draw_protocol(faces, "face-mask")[0][:3]
    small = (8, 8, 8, 8), (1,), (1,)
    template, out = tmp_path / "template.onnx", tmp_path / "fast.onnx"
    write_template(FastGenerator(*small), template)
    trained = randomise_batch_norms(FastGenerator(*small))
    assert refill(template, trained, out, *few).largest <= 2
    written = {entry.key: entry.value for entry in onnx.load(out).metadata_props}
    assert written["precision"] == "fp16"
    with open_inpainter(out, "onnxruntime") as inpainter:
        filled = inpainter(*few)
    assert np.abs(filled.astype(int) - fill(trained, *few)).max() <= 2
    assert len(np.unique(filled[few[1]])) > 20
    out.unlink()
    with pytest.raises(RuntimeError, match="has no weights"):
        refill(template, PaperGenerator(1, 4), out, *few)
    assert [path.name for path in tmp_path.iterdir()] == ["template.onnx"]
