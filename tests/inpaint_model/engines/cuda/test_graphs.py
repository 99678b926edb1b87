"""How batches are captured and replayed, on a stand-in for CUDA; and on CUDA, where it is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from inpaint_model import open_inpainter
from inpaint_model.artefacts import find_generator
from inpaint_model.engines.cuda import graphs as cuda_graphs
from inpaint_model.engines.cuda.graphs import GraphedNetwork, _StaticBatch
from inpaint_model.engines.torch import TorchEngine, TorchSession
from inpaint_model.model_files import WEIGHTS_DIR


def negative(crops: torch.Tensor, holes: torch.Tensor) -> torch.Tensor:
    """Stands for a network: the negative picture in the holes."""
    return torch.where(holes[..., None] > 0, 255 - crops, crops)


class FakeGraph:
    """Recorded work."""

    work: Callable[[], None]

    def replay(self) -> None:
        self.work()


class FakeStream:
    def __init__(self, *_: object) -> None:
        pass

    def wait_stream(self, _: FakeStream) -> None:
        pass

    def synchronize(self) -> None:
        pass


@pytest.fixture
def fake_cuda(monkeypatch):
    """Put a GPU's place under `cuda_graphs`; `captured` holds the sizes, `refuse` those refused."""
    state = SimpleNamespace(captured=[], refuse=set(), last=None)
    compute = _StaticBatch._compute

    def remember(batch: _StaticBatch) -> None:
        state.last = batch
        compute(batch)

    @contextmanager
    def capture(graph: FakeGraph, **how: object):
        assert how["capture_error_mode"] == "thread_local"
        yield
        batch = state.last
        if len(batch.crops) in state.refuse:
            raise RuntimeError("operation not permitted when stream is capturing\nmore")
        state.captured.append(len(batch.crops))
        graph.work = lambda: compute(batch)

    monkeypatch.setattr(_StaticBatch, "_compute", remember)
    cuda = SimpleNamespace(
        Stream=FakeStream,
        CUDAGraph=FakeGraph,
        graph=capture,
        graph_pool_handle=lambda: (0, 1),
        current_stream=FakeStream,
        device=nullcontext,
        stream=nullcontext,
    )
    torch_here = SimpleNamespace(
        cuda=cuda,
        uint8=torch.uint8,
        zeros=lambda shape, dtype, **_: torch.zeros(shape, dtype=dtype),
        no_grad=torch.no_grad,
        backends=torch.backends,
    )
    monkeypatch.setattr(cuda_graphs, "torch", torch_here)
    return state


def test_batch_size_is_captured_once_on_first_use(fake_cuda, crops, holes):
    graphed = GraphedNetwork(negative, torch.device("cpu"))
    graphed.prepare(1)
    assert fake_cuda.captured == [1]
    expected = negative(torch.tensor(crops), torch.tensor(holes)).numpy()
    for _ in range(2):
        for count in (5, 1, 3, 2):
            out = graphed(crops[:count], holes[:count])
            assert np.array_equal(out, expected[:count])
    assert fake_cuda.captured == [1, 8, 4, 2]
    assert graphed.warnings == []


def test_result_is_not_overwritten_by_the_next_call(fake_cuda, crops, holes):
    graphed = GraphedNetwork(negative, torch.device("cpu"))
    first = graphed(crops[:1], holes[:1])
    kept = first.copy()
    graphed(crops[1:2], holes[1:2])
    assert np.array_equal(first, kept)


def test_more_crops_than_the_largest_size_go_in_turns(fake_cuda):
    graphed = GraphedNetwork(lambda crops, _: 255 - crops, torch.device("cpu"))
    crops = np.random.default_rng(0).integers(0, 256, (70, 128, 128, 3), dtype=np.uint8)
    assert np.array_equal(graphed(crops, crops[..., 0]), 255 - crops)
    assert fake_cuda.captured == [64, 8]


def test_compute_runs_the_graph_on_the_last_crops(fake_cuda, crops, holes):
    graphed = GraphedNetwork(negative, torch.device("cpu"))
    expected = graphed(crops[:2], holes[:2])
    filled = fake_cuda.last.filled
    filled.zero_()
    graphed.compute(2)
    assert np.array_equal(filled.numpy(), expected)
    assert fake_cuda.captured == [2]


def test_size_that_cannot_be_captured_runs_with_warning(fake_cuda, crops, holes, caplog):
    fake_cuda.refuse = {1}
    graphed = GraphedNetwork(negative, torch.device("cpu"))
    out = graphed(crops[:1], holes[:1])
    assert np.array_equal(out, negative(torch.tensor(crops[:1]), torch.tensor(holes[:1])).numpy())
    (warning,) = graphed.warnings
    assert warning.startswith("no CUDA graph for 1 crops")
    assert "\n" not in warning
    assert warning in caplog.text


def test_capture_restores_the_settings_of_torch(fake_cuda):
    before = torch.backends.cudnn.benchmark
    seen: list[bool] = []

    def network(crops: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
        seen.append(torch.backends.cudnn.benchmark)
        return crops

    GraphedNetwork(network, torch.device("cpu")).prepare(1)
    assert set(seen) == {True}
    assert torch.backends.cudnn.benchmark == before


@pytest.fixture
def gpu() -> None:
    if not torch.cuda.is_available():
        pytest.skip("torch finds no CUDA GPU")


@pytest.mark.gpu
def test_on_a_gpu_every_count_agrees_with_the_cpu(gpu, astronaut_rgb):
    crops = np.stack([astronaut_rgb[y : y + 128, 160 : 160 + 128] for y in range(40, 130, 10)])
    holes = np.zeros((9, 128, 128), dtype=np.uint8)
    holes[:, 60:120, 30:100] = 1
    path = WEIGHTS_DIR / "fast.onnx"
    with open_inpainter(path, "torch") as fast, open_inpainter(path, "onnxruntime") as precise:
        assert (fast.precision, fast.warnings) == ("fp16", ())
        assert "torch" in fast.reason
        expected = precise(crops, holes)
        for count in (*range(1, 10), 1):
            out = fast(crops[:count], holes[:count])
            inside = holes[:count] > 0
            assert np.array_equal(out[~inside], crops[:count][~inside])
            assert np.abs(out[inside].astype(int) - expected[:count][inside]).max() <= 3


@pytest.mark.gpu
def test_on_a_gpu_every_size_is_a_graph(gpu, crops, holes):
    session = TorchEngine().load(find_generator("fast"), None)
    assert isinstance(session, TorchSession)
    graphed = session.fill
    assert isinstance(graphed, GraphedNetwork)
    for count in (5, 1, 3, 2, 4):
        session.run(crops[:count], holes[:count])
    assert graphed.warnings == []
    assert all(batch._graph is not None for batch in graphed._batches.values())
