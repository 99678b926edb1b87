"""The command `export`: from a shipped file to the artefact and its int8 twin."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from inpaint_model import UserError, open_inpainter
from inpaint_model.generator import PaperGenerator
from trainer.export import export_generator
from trainer.export_run import export
from trainer.faceset import FaceSet
from trainer.sampling import draw_protocol


def test_a_file_is_exported_again_with_its_int8_twin(
    prepared_file: Path, faces: FaceSet, tmp_path: Path
):
    torch.manual_seed(0)
    holes, _ = draw_protocol(faces, "face-mask")
    source, out = tmp_path / "any.onnx", tmp_path / "out"
    export_generator(PaperGenerator(1, 4), source, faces.crops[:4], holes[:4])
    lines = export(None, source, [prepared_file], out)
    assert {path.name for path in out.iterdir()} == {"glcic.onnx", "glcic.int8.onnx"}
    assert "pruned from width 4 " in lines and "(pruning " in lines
    with (
        open_inpainter(source, "onnxruntime") as before,
        open_inpainter(out / "glcic.onnx", "onnxruntime") as again,
    ):
        filled = [net(faces.crops[:4], holes[:4]).astype(int) for net in (before, again)]
    assert np.abs(filled[0] - filled[1]).max() <= 2


def test_what_cannot_be_exported_is_named(prepared_file: Path, tmp_path: Path):
    with pytest.raises(UserError, match="either --run or --model"):
        export(None, None, [prepared_file], tmp_path)
    with pytest.raises(UserError, match="no such model file"):
        export(None, tmp_path / "none.onnx", [prepared_file], tmp_path)
