"""A TensorRT session splits, pads and replays: checked on a stand-in for the GPU that is not here."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from inpaint_model import open_inpainter
from inpaint_model.engines.base import SessionInfo
from inpaint_model.engines.tensorrt.builder import BATCH_SIZES
from inpaint_model.engines.tensorrt.session import TensorRtSession
from tests.inpaint_model.fake_gpu import FakeDevice, FakeEngine

INFO = SessionInfo("tensorrt", "11.4.0", "fp16", "on a stand-in", "0" * 64)


@pytest.fixture
def device() -> FakeDevice:
    return FakeDevice()


@pytest.fixture
def session(tiny_onnx: Path, device: FakeDevice) -> TensorRtSession:
    return TensorRtSession(FakeEngine(tiny_onnx, BATCH_SIZES, device), BATCH_SIZES, device, INFO)


@pytest.fixture(scope="module")
def many(crops: NDArray[np.uint8], holes: NDArray[np.uint8]):
    """71 crops and holes, all different."""
    rng = np.random.default_rng(5)
    picked = rng.integers(0, 5, 71)
    noise = rng.integers(0, 40, (71, 1, 1, 3), dtype=np.uint8)
    return crops[picked] // 2 + noise, np.roll(holes[picked], 3, axis=1)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 9, 64, 71])
def test_run_any_number_of_crops_keeps_the_order(count, session, many, tiny_onnx):
    crops, holes = many[0][:count], many[1][:count]
    with open_inpainter(tiny_onnx, "onnxruntime") as reference:
        expected = reference(crops, holes)
    out = session.run(crops, holes)
    assert np.abs(out.astype(int) - expected).max() <= 1
    assert np.array_equal(out[holes == 0], crops[holes == 0])


def test_run_replays_one_graph_a_batch_size(session, device, many):
    assert len(device.graphs) == 3  # 1, 2 and 4 at once; 64 when it is needed
    device.launches = 0
    for count in (1, 1, 2, 4, 64, 64):
        session.run(many[0][:count], many[1][:count])
    assert len(device.graphs) == len(BATCH_SIZES)
    assert device.launches == 6


def test_run_allocates_only_once(session, device, many):
    session.run(many[0][:64], many[1][:64])
    before = device.allocated_bytes
    for _ in range(15):
        session.run(many[0][:7], many[1][:7])
    assert device.allocated_bytes == before


def test_run_holds_nothing_of_the_batch_before(session, many, tiny_onnx):
    session.run(many[0][:4], many[1][:4])
    out = session.run(many[0][4:7], many[1][4:7])
    with open_inpainter(tiny_onnx, "onnxruntime") as reference:
        expected = reference(many[0][4:7], many[1][4:7])
    assert np.abs(out.astype(int) - expected).max() <= 1


def test_run_in_threads_does_not_mix_crops(session, many):
    expected = [session.run(many[0][i : i + 1], many[1][i : i + 1]) for i in range(8)]
    with ThreadPoolExecutor(4) as pool:
        jobs = [
            (i, pool.submit(session.run, many[0][i : i + 1], many[1][i : i + 1]))
            for i in list(range(8)) * 10
        ]
        assert all(np.array_equal(job.result(), expected[i]) for i, job in jobs)


def test_run_without_cuda_graphs_says_so(tiny_onnx, many):
    device = FakeDevice(captures=False)
    session = TensorRtSession(FakeEngine(tiny_onnx, BATCH_SIZES, device), BATCH_SIZES, device, INFO)
    assert "without CUDA graphs" in session.graph_problem
    out = session.run(many[0][:3], many[1][:3])
    assert device.launches == 0
    assert not np.array_equal(out, many[0][:3])


def test_close_frees_the_device(session, device):
    session.close()
    assert device.closed
