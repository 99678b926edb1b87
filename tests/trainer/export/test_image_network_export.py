"""Export of face aligner and refiner: one float image in, values or a picture out, the same as torch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from inpaint_model.errors import UserError
from inpaint_model.model_files import WEIGHTS_DIR
from inpaint_model.networks.face_aligner import FaceAlignerNet
from inpaint_model.networks.refiner import RefinerNet
from trainer.commands.export import export
from trainer.config import Stage
from trainer.data.face_set import FaceSet
from trainer.export.image_network_export import export_image_network, images_of, squares_of
from trainer.export.run_exporter import ImageNetworkExporter
from trainer.initial_weights import load_initial_weights
from trainer.options import ExportOptions
from trainer.presets import PRESETS
from trainer.runs import RunFolder


@pytest.fixture(scope="module")
def net(faces: FaceSet) -> FaceAlignerNet:
    """A network whose batch-norm statistics are those of faces."""
    torch.manual_seed(0)
    net = FaceAlignerNet()
    squares = torch.from_numpy(squares_of(faces.crops))
    with torch.no_grad():
        for _ in range(30):
            net(squares)
    return net.eval()


def test_export_of_aligner_run_gives_the_same_values(
    net: FaceAlignerNet, prepared_file: Path, faces: FaceSet, tmp_path: Path
):
    run, out = RunFolder(tmp_path / "run"), tmp_path / "out"
    run.begin(replace(PRESETS["aligner"], stages=(Stage(steps=1),)), resume=False)
    run.save({"step": 1, "average": net.state_dict()})
    line = export(ExportOptions(run=run.path, data=[prepared_file], out=out))
    assert "fp32, differs from the network by" in line
    assert [path.name for path in out.iterdir()] == ["face_aligner.onnx"]
    session = onnxruntime.InferenceSession(str(out / "face_aligner.onnx"))
    (given,), (got,) = session.get_inputs(), session.get_outputs()
    assert (given.name, given.type, given.shape) == ("squares", "tensor(float)", [1, 64, 64, 3])
    assert (got.name, got.type, got.shape) == ("aligned", "tensor(float)", [1, 6])
    squares = squares_of(faces.crops[:3])
    exported = [session.run(None, {"squares": square[None]})[0] for square in squares]
    with torch.no_grad():
        wanted = net(torch.from_numpy(squares)).numpy()
    assert np.abs(np.concatenate(exported) - wanted).max() < 1e-4  # type: ignore[arg-type]
    assert wanted.std(0).max() > 0.01


def test_export_aligner_differing_writes_nothing(
    net: FaceAlignerNet, faces: FaceSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(
        "trainer.export.image_network_export.fuse_batch_norms", lambda x: x.head.pop(-1)
    )
    with pytest.raises((RuntimeError, ValueError)):
        export_image_network(net, tmp_path / "x.onnx", squares_of(faces.crops[:1]))
    assert not list(tmp_path.iterdir())


def test_aligner_exporter_writes_what_keeps_function(
    net: FaceAlignerNet, faces: FaceSet, tmp_path: Path
):
    exporter = ImageNetworkExporter(tmp_path, "face_aligner", squares_of(faces.crops[:2]))
    exporter.try_out(FaceAlignerNet())
    assert exporter.seconds > 0 and not list(tmp_path.iterdir())
    assert "face_aligner.onnx: fp32" in exporter.write(net)
    (path,) = tmp_path.iterdir()
    assert path.name == "face_aligner.onnx"
    again = FaceAlignerNet()
    load_initial_weights(path, again, PRESETS["aligner"], faces)
    given = torch.from_numpy(squares_of(faces.crops))
    with torch.no_grad():
        assert torch.allclose(again.eval()(given), net(given), atol=1e-4)
        # In training mode the norms use the batch's own figures: about what they were given.
        for dropout in (part for part in again.modules() if isinstance(part, nn.Dropout)):
            dropout.p = 0.0
        assert (again.train()(given) - net(given)).abs().mean() < 0.02


def test_export_of_refiner_run_gives_the_same_detail(
    fine_file: Path, fine_faces: FaceSet, tmp_path: Path
):
    torch.manual_seed(0)
    trained = RefinerNet()
    nn.init.normal_(trained.end.weight, std=0.01)
    run, out = RunFolder(tmp_path / "run"), tmp_path / "out"
    run.begin(replace(PRESETS["refiner"], stages=(Stage(steps=1),)), resume=False)
    run.save({"step": 1, "average": trained.state_dict()})
    line = export(ExportOptions(run=run.path, data=[fine_file], out=out))
    assert "fp32, differs from the network by" in line
    (path,) = out.iterdir()
    assert path.name == "refiner.onnx"
    session = onnxruntime.InferenceSession(str(path))
    (given,), (got,) = session.get_inputs(), session.get_outputs()
    assert (given.name, given.shape) == ("patches", [1, 128, 128, 4])
    assert (got.name, got.shape) == ("detail", [1, 128, 128, 3])
    patch = images_of(RefinerNet(), fine_faces)[:1]
    again = RefinerNet()
    load_initial_weights(path, again, PRESETS["refiner"], fine_faces)
    with torch.no_grad():
        wanted, loaded = (net.eval()(torch.from_numpy(patch)).numpy() for net in (trained, again))
    assert np.abs(np.asarray(session.run(None, {"patches": patch})[0]) - wanted).max() < 0.02
    assert np.allclose(loaded, wanted, atol=1e-3) and wanted.std() > 0.5


def test_initial_weights_of_other_file_are_refused(faces: FaceSet, tmp_path: Path):
    (tmp_path / "text.onnx").write_text("no network")
    for path, reason in (
        (tmp_path / "text.onnx", "not an ONNX file"),
        (WEIGHTS_DIR / "fast.onnx", "holds no face aligner"),
    ):
        with pytest.raises(UserError, match=reason):
            load_initial_weights(path, FaceAlignerNet(), PRESETS["aligner"], faces)
