"""Quantising keeps a generator's interface and its known pixels, and is dropped where it costs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from inpaint_model import UserError, open_inpainter
from inpaint_model.student import StudentGenerator
from trainer.export import export_generator
from trainer.faceset import FaceSet
from trainer.quantize import QuantizeReport, float_nodes, quantize_onnx
from trainer.sampling import draw_protocol


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNMASK_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def quantised(
    tmp_path_factory: pytest.TempPathFactory, faces: FaceSet
) -> tuple[Path, Path, QuantizeReport]:
    folder = tmp_path_factory.mktemp("quantised")
    full, int8 = folder / "net.onnx", folder / "net.int8.onnx"
    torch.manual_seed(0)
    holes, _ = draw_protocol(faces, "face-mask")
    net = StudentGenerator(widths=(8, 16, 16, 16), dilations_16=(1,), dilations_8=(1,))
    export_generator(net, full, faces.crops, holes)
    return full, int8, quantize_onnx(full, faces.crops[:16], holes[:16], int8)


def test_costs_little_and_is_kept(quantised):
    full, int8, report = quantised
    assert report.kept
    assert abs(report.cost_db) < 0.3
    assert report.crops == 8
    assert "kept" in str(report)
    assert int8.stat().st_size < full.stat().st_size


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_runs_as_int8_and_keeps_known_pixels(engine, quantised, faces: FaceSet):
    holes, _ = draw_protocol(faces, "face-mask", seed=1)
    with open_inpainter(quantised[1], engine) as inpainter:
        assert inpainter.precision == "int8"
        out = inpainter(faces.crops[:3], holes[:3])
    assert np.array_equal(out[~holes[:3]], faces.crops[:3][~holes[:3]])


def test_the_ends_stay_in_floating_point(quantised):
    model = onnx.load(quantised[0])
    floating = set(float_nodes(model))
    convolutions = [n.name for n in model.graph.node if n.op_type in ("Conv", "ConvTranspose")]
    assert [name in floating for name in convolutions] == [True] + [False] * (len(convolutions) - 1)
    assert {n.name for n in model.graph.node if n.op_type in ("Where", "Cast", "Round")} <= floating


def test_is_dropped_where_it_costs_too_much(quantised, faces: FaceSet, tmp_path: Path):
    holes, _ = draw_protocol(faces, "face-mask")
    out = tmp_path / "net.int8.onnx"
    out.write_bytes(b"of an older network")
    report = quantize_onnx(quantised[0], faces.crops[:8], holes[:8], out, most_cost_db=-100)
    assert not report.kept
    assert list(tmp_path.iterdir()) == []


def test_too_few_crops_are_refused(quantised, faces: FaceSet, tmp_path: Path):
    with pytest.raises(UserError, match="at least 8"):
        quantize_onnx(quantised[0], faces.crops[:2], np.zeros((2, 128, 128), bool), tmp_path / "x")
