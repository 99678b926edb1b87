"""ONNX Runtime's accelerators: taken where they are, never replaced by the CPU in silence."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from inpaint_model import UserError, open_inpainter
from inpaint_model.engines import onnxruntime_engine as module
from inpaint_model.engines.nvidia import Gpu, NvidiaState
from inpaint_model.engines.onnxruntime_engine import OnnxRuntimeEngine, OnnxRuntimeSession

CARD = Gpu("NVIDIA L4", (8, 9), "13.0")
REAL_SESSION = onnxruntime.InferenceSession


@pytest.fixture
def built_with(monkeypatch):
    """Make ONNX Runtime one of other providers; what they compute, its CPU computes here."""

    def build(*providers: str, gpu: Gpu | None, starts: bool = True):
        class Session:
            def __init__(self, path, options, providers):
                self._real = REAL_SESSION(path, options, providers=["CPUExecutionProvider"])
                self._wanted = providers
                self.shapes: list[int] = []

            def get_providers(self):
                return self._wanted if starts else ["CPUExecutionProvider"]

            def run(self, names, feed):
                self.shapes.append(len(feed["crops"]))
                return self._real.run(names, feed)

        monkeypatch.setattr(
            onnxruntime, "get_available_providers", lambda: [*providers, "CPUExecutionProvider"]
        )
        monkeypatch.setattr(onnxruntime, "InferenceSession", Session)
        monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: None, raising=False)
        monkeypatch.setattr(module, "find_gpu", lambda: NvidiaState(gpu, "no NVIDIA GPU"))

    return build


@pytest.mark.parametrize("provider", ["CUDAExecutionProvider", "CoreMLExecutionProvider"])
def test_an_accelerator_is_taken_in_a_few_batch_sizes(
    provider, built_with, tiny_onnx, crops, holes
):
    with open_inpainter(tiny_onnx, "openvino") as cpu:
        expected = cpu(crops[:3], holes[:3])
    built_with(provider, gpu=CARD)
    assert OnnxRuntimeEngine().probe().accelerated
    with open_inpainter(tiny_onnx, "onnxruntime") as inpainter:
        session = inpainter._session
        assert isinstance(session, OnnxRuntimeSession)
        out = inpainter(crops[:3], holes[:3])
        assert session._session.shapes[-1] == 4
        assert provider.removesuffix("ExecutionProvider") in inpainter.reason
    assert np.abs(out.astype(int) - expected).max() <= 3


def test_one_that_does_not_start_is_an_error(built_with, tiny_onnx):
    built_with("CUDAExecutionProvider", gpu=CARD, starts=False)
    with pytest.raises(UserError, match="CUDAExecutionProvider does not start"):
        open_inpainter(tiny_onnx, "onnxruntime")


@pytest.mark.parametrize("cpu_only", [False, True])
def test_without_a_card_or_when_told_the_cpu_runs(cpu_only, built_with):
    built_with("CUDAExecutionProvider", gpu=CARD if cpu_only else None)
    status = OnnxRuntimeEngine(cpu_only=cpu_only).probe()
    assert status.usable and not status.accelerated
    assert status.detail.startswith("CPU")
