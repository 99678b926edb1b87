"""The command `export`: fp16 and int8 files from a file or a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from inpaint_model import UserError, open_inpainter
from inpaint_model.networks.paper import PaperGenerator
from trainer.augment.holes import draw_protocol
from trainer.commands.export import export
from trainer.data.face_set import FaceSet
from trainer.export.onnx_export import export_generator
from trainer.options import ExportOptions


def test_export_of_file_writes_fp16_and_int8(prepared_file: Path, faces: FaceSet, tmp_path: Path):
    torch.manual_seed(0)
    holes, _ = draw_protocol(faces, "face-mask")
    source, out = tmp_path / "any.onnx", tmp_path / "out"
    export_generator(PaperGenerator(1, 4), source, faces.crops[:4], holes[:4])
    lines = export(ExportOptions(model=source, data=[prepared_file], out=out))
    assert {path.name for path in out.iterdir()} == {"glcic.onnx", "glcic.int8.onnx"}
    assert "pruned from width 4 " in lines and "(pruning " in lines
    with (
        open_inpainter(source, "onnxruntime") as before,
        open_inpainter(out / "glcic.onnx", "onnxruntime") as again,
    ):
        filled = [net(faces.crops[:4], holes[:4]).astype(int) for net in (before, again)]
    assert np.abs(filled[0] - filled[1]).max() <= 2


def test_export_of_nothing_is_refused(prepared_file: Path, tmp_path: Path):
    where = {"data": [prepared_file], "out": tmp_path}
    missing = tmp_path / "none.onnx"
    with pytest.raises(UserError, match="either --run or --model"):
        export(ExportOptions(**where))
    with pytest.raises(UserError, match="no such model file"):
        export(ExportOptions(**where, model=missing))
