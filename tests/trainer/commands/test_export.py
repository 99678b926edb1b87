"""The command `export`: fp16 and int8 files from a file or a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from inpaint_model import UserError, open_inpainter
from inpaint_model.networks.paper import PaperGenerator
from trainer.augment.holes import draw_protocol
from trainer.commands.export import averaged, export
from trainer.data.face_set import FaceSet
from trainer.evaluate.fill_crops import fill
from trainer.export.onnx_export import export_generator
from trainer.options import ExportOptions
from trainer.presets import resolve
from trainer.runs import RunFolder


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


def test_average_share_weighs_the_run(faces: FaceSet, tmp_path: Path):
    torch.manual_seed(0)
    holes, _ = draw_protocol(faces, "face-mask")
    few = faces.crops[:4], holes[:4]
    begun, trained = PaperGenerator(1, 4).eval(), PaperGenerator(1, 4).eval()
    export_generator(begun, tmp_path / "begun.onnx", *few)
    folder = RunFolder(tmp_path / "run")
    folder.begin(resolve("glcic", width=4), resume=False)
    folder.save({"step": 1, "average": trained.state_dict()})
    for share, wanted in ((0.0, begun), (1.0, trained)):
        net = averaged(folder.path, tmp_path / "begun.onnx", faces, share)
        difference = np.abs(fill(net.eval(), *few).astype(int) - fill(wanted, *few))
        assert difference.max() <= 1


def test_export_of_nothing_is_refused(prepared_file: Path, tmp_path: Path):
    where = {"data": [prepared_file], "out": tmp_path}
    missing = tmp_path / "none.onnx"
    with pytest.raises(UserError, match="either --run or --model"):
        export(ExportOptions(**where))
    with pytest.raises(UserError, match="from 0 to 1 and needs --run and --model"):
        export(ExportOptions(**where, model=missing, share=0.5))
    with pytest.raises(UserError, match="no such model file"):
        export(ExportOptions(**where, model=missing))
