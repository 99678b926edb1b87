"""Quantising keeps a generator's interface and known pixels; a costly file is not kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray

from inpaint_model import UserError, open_inpainter
from inpaint_model.artefacts import find_generator
from inpaint_model.networks.fast import FastGenerator
from trainer.augment.holes import draw_protocol
from trainer.data.face_set import FaceSet
from trainer.export import quantize
from trainer.export.onnx_export import export_generator
from trainer.export.quantize import Inputs, QuantizeReport, Samples, float_nodes, quantize_onnx


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNMASK_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


def halves(crops: NDArray[np.uint8], holes: NDArray[np.bool_]) -> tuple[Inputs, Samples]:
    given = {"crops": crops[::2], "holes": holes[::2].astype(np.uint8)}
    return given, Samples(crops[1::2], holes[1::2])


@pytest.fixture(scope="module")
def quantised(
    tmp_path_factory: pytest.TempPathFactory, faces: FaceSet
) -> tuple[Path, Path, QuantizeReport]:
    folder = tmp_path_factory.mktemp("quantised")
    full, int8 = folder / "net.onnx", folder / "net.int8.onnx"
    torch.manual_seed(0)
    holes, _ = draw_protocol(faces, "face-mask")
    net = FastGenerator(widths=(8, 16, 16, 16), dilations_16=(1,), dilations_8=(1,))
    export_generator(net, full, faces.crops, holes)
    return full, int8, quantize_onnx(full, *halves(faces.crops[:16], holes[:16]), int8)


def test_quantize_cheap_is_kept(quantised):
    full, int8, report = quantised
    assert report.kept
    assert abs(report.cost_db) < 0.3
    assert report.crops == 8
    assert 0 < report.int8_error < report.exact_error + 0.1
    assert str(report).endswith(": kept")
    assert int8.stat().st_size < full.stat().st_size


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_int8_file_keeps_known_pixels(engine, quantised, faces: FaceSet):
    holes, _ = draw_protocol(faces, "face-mask", seed=1)
    with open_inpainter(quantised[1], engine) as inpainter:
        assert inpainter.precision == "int8"
        out = inpainter(faces.crops[:3], holes[:3])
    assert np.array_equal(out[~holes[:3]], faces.crops[:3][~holes[:3]])


def test_float_nodes_hold_both_ends(quantised):
    model = onnx.load(quantised[0])
    floating = set(float_nodes(model))
    convolutions = [n.name for n in model.graph.node if n.op_type in ("Conv", "ConvTranspose")]
    assert [name in floating for name in convolutions] == [True] + [False] * (len(convolutions) - 1)
    assert {n.name for n in model.graph.node if n.op_type in ("Where", "Cast", "Round")} <= floating


def test_float_nodes_hold_convolutions_at_pictures():
    model = onnx.load(find_generator("paper").path)
    floating = set(float_nodes(model))
    convolutions = [n.name for n in model.graph.node if n.op_type in ("Conv", "ConvTranspose")]
    kept = [index for index, name in enumerate(convolutions) if name in floating]
    assert kept == [0, 17, 18, 35]


def test_quantize_report_tells_pruning_from_int8():
    report = QuantizeReport(25.0, 24.9, 24.8, 0.1, 0.1, 4, False)
    assert "costs 0.200 dB (pruning 0.100, int8 0.100)" in str(report)
    assert str(report).endswith("not kept")


def test_quantize_too_costly_keeps_no_file(quantised, faces: FaceSet, tmp_path: Path):
    holes, _ = draw_protocol(faces, "face-mask")
    out = tmp_path / "net.int8.onnx"
    out.write_bytes(b"of an older network")
    report = quantize_onnx(quantised[0], *halves(faces.crops[:8], holes[:8]), out, max_cost_db=-100)
    assert not report.kept
    assert list(tmp_path.iterdir()) == []


def test_quantize_wrong_on_openvino_keeps_no_file(
    quantised, faces: FaceSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def but_convolutions(model: onnx.ModelProto) -> list[str]:
        convolutions = {n.name for n in model.graph.node if n.op_type in ("Conv", "ConvTranspose")}
        return [name for name in float_nodes(model) if name not in convolutions]

    monkeypatch.setattr(quantize, "float_nodes", but_convolutions)
    holes, _ = draw_protocol(faces, "face-mask")
    out = tmp_path / "net.int8.onnx"
    report = quantize_onnx(quantised[0], *halves(faces.crops[:16], holes[:16]), out)
    assert report.int8_error > report.exact_error + 0.1
    assert not report.kept and not out.exists()


def test_quantize_too_few_crops_is_refused(quantised, faces: FaceSet, tmp_path: Path):
    few = halves(faces.crops[:4], np.zeros((4, 128, 128), bool))
    with pytest.raises(UserError, match="at least 4"):
        quantize_onnx(quantised[0], *few, tmp_path / "x")
