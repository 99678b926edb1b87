"""A GPU, or a CPU for a rehearsal, is measured part by part: engines, many calls, training."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks.speed import engines, gpu, many_calls
from benchmarks.speed.device import Ceilings
from benchmarks.speed.fused import ConvolutionAndRelu, fuse_relus
from benchmarks.speed.parity import difference, fill_in_fp32, sample_crops
from benchmarks.speed.roofline import LeastWork, least_work
from benchmarks.speed.ways import Way, in_precision
from inpaint_model import UserError
from inpaint_model.artefacts import find_generator
from inpaint_model.engines import make_engine
from inpaint_model.networks.byte_generator import ByteGenerator
from inpaint_model.networks.from_onnx import generator_from_onnx

_CPU = torch.device("cpu")
_CEILINGS = Ceilings(torch.float32, 100.0, 10.0)


def test_gpu_without_time_lists_all_as_left_out(monkeypatch, tmp_path: Path):
    monkeypatch.setattr(gpu, "measure_ceilings", lambda _: _CEILINGS)
    tables = gpu.run(["fast"], [1], "cpu", 1, 5, 1e-6, ["fast", "paper"], out=tmp_path)
    names = [row["left out"] for row in tables["left out"]]
    assert names == ["5 calls", "fast, batch 1", "training fast", "training paper"]
    assert "55% of the time" in (tmp_path / "gpu.md").read_text()


def test_gpu_part_that_fails_is_left_out(monkeypatch, tmp_path: Path):
    def fail(*_: object) -> None:
        raise RuntimeError("CUDA error: unknown\nmore")

    monkeypatch.setattr(gpu, "measure_ceilings", lambda _: _CEILINGS)
    monkeypatch.setattr(gpu, "call_many_times", fail)
    monkeypatch.setattr(gpu.Comparison, "rows", fail)
    tables = gpu.run(["fast"], [1], "cpu", 1, 5, 1e-6, ["fast"], out=tmp_path)
    assert tables["left out"][0] == {"left out": "calls", "why": "CUDA error: unknown"}
    assert tables["left out"][1]["left out"] == "engines"
    assert tables["device"]


def test_gpu_missing_model_or_device_raises():
    with pytest.raises(UserError, match="unknown model"):
        gpu.run(["best"], device="cpu")
    with pytest.raises(UserError, match="unknown device"):
        engines.run(["fast"], [1], "tpu")
    if not torch.cuda.is_available():
        with pytest.raises(UserError, match="--device cpu"):
            engines.run(["fast"], [1], "cuda")


def test_engines_cpu_are_compared_with_eager_torch(monkeypatch, tmp_path: Path, capsys):
    monkeypatch.setattr(engines, "measure_ceilings", lambda _: _CEILINGS)
    rows = engines.run(["fast"], [2], "cpu", 1, 2, tmp_path)
    names = [str(row["engine"]).split(",")[0] for row in rows]
    assert names[0] == "torch eager"
    assert {"openvino", "onnxruntime", "torch"} <= set(names)
    assert rows[0]["times faster than eager"] == 1
    for row in rows:
        per_second = 1000 * float(row["batch"]) / float(row["ms a call, p50"])
        assert float(row["crops/s"]) == pytest.approx(per_second, rel=0.01)
        share = str(row["share of peak"])
        assert share == "–" if "int8" in str(row["engine"]) else float(share) > 0
        assert row["outside"] == "equal"
    assert "1 torch threads" in capsys.readouterr().out
    assert json.loads((tmp_path / "engines.json").read_text())["rows"] == [dict(r) for r in rows]


def test_engines_way_that_fails_has_a_row_with_why(monkeypatch):
    def fail(*_: object) -> np.ndarray:
        raise RuntimeError("out of memory\nmore")

    ways = [Way("broken", "fp16", fail), Way("copy", "fp32", lambda crops, _: crops.copy())]
    monkeypatch.setattr(engines, "open_ways", lambda *_, **__: ways)
    copied, broken = engines.Comparison(_CPU, _CEILINGS).rows("fast", [2], 2)
    assert (broken["engine"], broken["note"]) == ("broken", "out of memory")
    assert broken["crops/s"] == "–"
    assert copied["outside"] == "equal" and int(copied["levels off"]) > 3


def test_difference_finds_one_level_and_one_pixel():
    crops, holes = sample_crops(2)
    filled = crops.copy()
    filled[1, 100, 60, 2] ^= 1
    assert difference(filled, crops, crops, holes) == (1, True)
    filled[0, 0, 0, 0] ^= 1
    assert difference(filled, crops, crops, holes) == (1, False)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_in_precision_fills_nearly_as_fp32(kind: torch.dtype):
    net = generator_from_onnx(find_generator("fast").path)
    crops, holes = sample_crops(1)
    with torch.no_grad():
        half = ByteGenerator(in_precision(net, kind))
        filled = half(torch.from_numpy(crops), torch.from_numpy(holes)).numpy()
    levels, equal = difference(filled, fill_in_fp32(net, crops, holes), crops, holes)
    assert levels <= 4 and equal
    assert next(net.parameters()).dtype == torch.float32


def test_fuse_relus_leaves_the_fill_as_it_was(monkeypatch):
    def together(x, weight, bias, *shape):
        return torch.relu(nn.functional.conv2d(x, weight, bias, *shape))

    monkeypatch.setattr(torch, "cudnn_convolution_relu", together)
    net = generator_from_onnx(find_generator("fast").path)
    crops, holes = sample_crops(1)
    expected = fill_in_fp32(net, crops, holes)
    fuse_relus(net)
    assert sum(isinstance(layer, ConvolutionAndRelu) for layer in net.modules()) == 16
    assert difference(fill_in_fp32(net, crops, holes), expected, crops, holes) == (0, True)


class _OneConvolution(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 8, 3, padding=1, bias=False)

    def forward(self, crops: torch.Tensor, holes: torch.Tensor) -> torch.Tensor:
        return self.conv(torch.cat([crops, holes], 1))


def test_least_work_of_one_convolution_is_exact():
    work = least_work(_OneConvolution())
    assert (work.values, work.weights) == ((4 + 8) * 128 * 128, 4 * 8 * 9)
    assert work.gflop == pytest.approx(2 * 4 * 8 * 9 * 128 * 128 / 1e9)


def test_shares_at_the_ceilings_are_one():
    work = LeastWork(gflop=1.0, values=200_000_000, weights=100_000_000)
    shares = work.shares("fp16", 2, 100, Ceilings(torch.float16, 20.0, 10.0))
    assert shares == pytest.approx((1.0, 1.0))
    assert work.shares("int8", 2, 100, _CEILINGS) is None


def test_many_calls_counts_other_and_wrong_results(monkeypatch):
    class Forgetful:
        engine, precision, number = "forgetful", "fp16", 0

        def __enter__(self) -> Forgetful:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def __call__(self, crops: np.ndarray, holes: np.ndarray) -> np.ndarray:
            self.number += 1
            filled = crops.copy()
            filled[holes > 0] = {22: 102, 23: 110}.get(self.number, 100)
            return filled

    monkeypatch.setattr(many_calls, "open_inpainter", lambda *_: Forgetful())
    row = many_calls.call_many_times("fast", "auto", 16, lambda: True)
    assert (row["calls"], row["not bit for bit the first"], row["wrong results"]) == (16, 2, 1)


@pytest.mark.gpu
def test_engines_on_a_gpu_agree_and_name_refusals():
    if not torch.cuda.is_available():
        pytest.skip("torch finds no CUDA GPU")
    rows = engines.run(["fast"], [1, 3], "cuda", rounds=2)
    graph = [row for row in rows if str(row["engine"]) == "torch, fp16, CUDA graph"]
    assert [row["batch"] for row in graph] == [1, 3]
    for row in rows:
        assert row["note"] or row["outside"] == "equal"
    assert all(int(row["levels off"]) <= 3 and float(row["device ms"]) > 0 for row in graph)


@pytest.mark.gpu
@pytest.mark.parametrize("engine", ["tensorrt", "torch"])
def test_many_calls_on_a_gpu_leave_memory_as_it_was(engine: str):
    status = make_engine(engine).probe()
    if not status.accelerated:
        pytest.skip(status.refusal)
    row = many_calls.call_many_times("fast", engine, 10_000, lambda: True)
    assert (row["calls"], row["wrong results"]) == (10_000, 0)
    assert float(row["GPU MiB, after"]) - float(row["GPU MiB, before"]) < 1
    assert float(row["host MiB, after"]) - float(row["host MiB, before"]) < 4
