"""The command `export`: from a shipped file to the artefact and its int8 twin."""

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
from trainer.presets import Changes, resolve
from trainer.runs import RunFolder


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


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_run_is_averaged_with_what_it_began_from(
    prepared_file: Path, faces: FaceSet, tmp_path: Path, share: float
):
    torch.manual_seed(0)
    holes, _ = draw_protocol(faces, "face-mask")
    few = faces.crops[:4], holes[:4]
    begun, run = PaperGenerator(1, 4), PaperGenerator(1, 4)
    export_generator(begun, tmp_path / "begun.onnx", *few)
    export_generator(run, tmp_path / "run.onnx", *few)
    folder = RunFolder(tmp_path / "run")
    folder.begin(resolve("glcic", Changes(width=4)), resume=False)
    folder.save({"step": 1, "average": run.state_dict()})
    export(folder.path, tmp_path / "begun.onnx", [prepared_file], tmp_path / "out", share)
    wanted = tmp_path / ("run.onnx" if share else "begun.onnx")
    with (
        open_inpainter(wanted, "onnxruntime") as one,
        open_inpainter(tmp_path / "out" / "glcic.onnx", "onnxruntime") as mixed,
    ):
        filled = [net(*few).astype(int) for net in (one, mixed)]
    assert np.abs(filled[0] - filled[1]).max() <= 2


def test_what_cannot_be_exported_is_named(prepared_file: Path, tmp_path: Path):
    with pytest.raises(UserError, match="either --run or --model"):
        export(None, None, [prepared_file], tmp_path)
    with pytest.raises(UserError, match="from 0 to 1 and needs --run and --model"):
        export(None, tmp_path / "none.onnx", [prepared_file], tmp_path, share=0.5)
    with pytest.raises(UserError, match="no such model file"):
        export(None, tmp_path / "none.onnx", [prepared_file], tmp_path)
