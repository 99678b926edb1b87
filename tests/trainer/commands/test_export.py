"""The command `export`: fp16 and int8 files from a run, and from a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from inpaint_model import UserError, open_inpainter
from inpaint_model.model_files import WEIGHTS_DIR
from inpaint_model.networks.from_onnx import generator_from_onnx
from inpaint_model.networks.paper import PaperGenerator
from inpaint_model.networks.refiner import RefinerNet
from trainer.augment.holes import draw_protocol
from trainer.commands import export as export_module
from trainer.commands.export import export
from trainer.data.face_set import FaceSet
from trainer.evaluate.fill_crops import fill
from trainer.export.image_network_from_onnx import refiner_from_onnx
from trainer.options import ExportOptions
from trainer.presets import PRESETS
from trainer.runs import RunFolder


def test_export_of_run_writes_fp16_and_int8(prepared_file: Path, faces: FaceSet, tmp_path: Path):
    torch.manual_seed(0)
    run, net, out = RunFolder(tmp_path / "run"), PaperGenerator(1, 4).eval(), tmp_path / "out"
    run.begin(replace(PRESETS["glcic"], width=4), resume=False)
    run.save({"step": 1, "average": net.state_dict()})
    lines = export(ExportOptions(run=run.path, data=[prepared_file], out=out))
    assert {path.name for path in out.iterdir()} == {"glcic.onnx", "glcic.int8.onnx"}
    assert "pruned from width 4 " in lines and "(pruning " in lines
    again = generator_from_onnx(out / "glcic.onnx")
    assert isinstance(again, PaperGenerator)
    assert (len(again.autoencoders), again.width, again.balance) == (1, 4, False)
    few = faces.crops[:4], draw_protocol(faces, "face-mask")[0][:4]
    with open_inpainter(out / "glcic.onnx", "onnxruntime") as inpainter:
        filled = inpainter(*few).astype(int)
    for wanted in (net, again):
        assert np.abs(filled - fill(wanted, *few)).max() <= 2


def test_export_of_the_mean_of_two_runs(fine_file: Path, prepared_file: Path, tmp_path: Path):
    torch.manual_seed(0)
    nets = {name: RefinerNet() for name in ("one", "two")}
    for name, net in nets.items():
        torch.nn.init.normal_(net.end.weight, std=0.01)
        run = RunFolder(tmp_path / name)
        run.begin(PRESETS["refiner"], resume=False)
        run.save({"step": 1, "average": net.state_dict()})
    one, two = tmp_path / "one", tmp_path / "two"
    export(ExportOptions(run=one, mean_with=two, data=[fine_file], out=tmp_path))
    mean = refiner_from_onnx(tmp_path / "refiner.onnx")
    weights = zip(mean.parameters(), *(net.parameters() for net in nets.values()), strict=True)
    assert all(torch.equal(found, (a + b) / 2) for found, a, b in weights)

    other = RunFolder(tmp_path / "other")
    other.begin(replace(PRESETS["glcic"], width=4), resume=False)
    other.save({"step": 1, "average": PaperGenerator(1, 4).state_dict()})
    with pytest.raises(UserError, match="other: holds another network"):
        export(ExportOptions(run=one, mean_with=other.path, data=[fine_file], out=tmp_path))
    with pytest.raises(UserError, match="--mean-with goes with --run"):
        export(ExportOptions(model=WEIGHTS_DIR / "fast.onnx", mean_with=two, data=[prepared_file]))


def test_export_of_file_takes_its_network(
    prepared_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def told(net: torch.nn.Module, faces: FaceSet, out: Path) -> str:
        return f"{type(net).__name__}, {len(faces)} faces, {out.name}"

    monkeypatch.setattr(export_module, "export_network", told)
    options = ExportOptions(model=WEIGHTS_DIR / "fast.onnx", data=[prepared_file], out=tmp_path)
    assert export(options) == f"FastGenerator, 24 faces, {tmp_path.name}"


def test_export_of_nothing_is_refused(prepared_file: Path, tmp_path: Path):
    where = {"data": [prepared_file], "out": tmp_path}
    missing = tmp_path / "none.onnx"
    with pytest.raises(UserError, match="either --run or --model"):
        export(ExportOptions(**where))
    with pytest.raises(UserError, match="no such model file"):
        export(ExportOptions(**where, model=missing))
