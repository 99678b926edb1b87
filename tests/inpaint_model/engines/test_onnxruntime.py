"""ONNX Runtime's accelerators: used if they start, refused in one line if they do not."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import onnxruntime
import pytest

from inpaint_model import UserError, open_inpainter
from inpaint_model.artefacts import find_generator
from inpaint_model.engines import onnxruntime as onnxruntime_engine
from inpaint_model.engines.cuda.driver import Gpu, NvidiaState
from inpaint_model.engines.onnxruntime import OnnxRuntimeEngine
from inpaint_model.model_files import WEIGHTS_DIR

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
CORE_ML = "CoreMLExecutionProvider"


@pytest.fixture
def machine(monkeypatch):
    """Set what is built in, whether a driver is here, and what starts; the CPU does the work."""
    seen = SimpleNamespace(driver=True, starts=True, wanted=[], sizes=[], preloaded=0)
    real = onnxruntime.InferenceSession

    class Session:
        def __init__(self, path: str, options: object, providers: list, **how: object) -> None:
            assert how == {"enable_fallback": 0}
            seen.wanted = providers
            self.real = real(path, options, providers=[CPU])

        def get_providers(self) -> list[str]:
            return [seen.wanted[0][0], CPU] if seen.starts else [CPU]

        def run(self, outputs: list[str], feed: dict[str, np.ndarray]) -> list[np.ndarray]:
            seen.sizes.append(len(feed["crops"]))
            return self.real.run(outputs, feed)  # type: ignore[return-value]

    def preload() -> None:
        seen.preloaded += 1

    def build(*providers: str) -> SimpleNamespace:
        monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [*providers, CPU])
        return seen

    monkeypatch.setattr(onnxruntime, "InferenceSession", Session)
    monkeypatch.setattr(onnxruntime, "preload_dlls", preload, raising=False)
    here = {True: NvidiaState(Gpu("NVIDIA L4", (8, 9), "13.0")), False: NvidiaState(None)}
    monkeypatch.setattr(onnxruntime_engine, "find_gpu", lambda: here[seen.driver])
    return build


def test_cuda_runs_full_precision_in_few_batch_sizes(machine, crops, holes):
    seen = machine(CUDA)
    expected = open_inpainter(WEIGHTS_DIR / "fast.onnx", "torch")(crops, holes)
    with open_inpainter("fast", "onnxruntime") as inpainter:
        assert inpainter.precision == "fp16"
        assert "CUDA" in inpainter.reason
        out = inpainter(crops, holes)
    assert np.abs(out.astype(int) - expected).max() <= 2
    assert seen.sizes == [1, 8]
    assert seen.wanted == [(CUDA, {"cudnn_conv_algo_search": "EXHAUSTIVE"}), CPU]
    assert seen.preloaded == 1


def test_cuda_fp32_file_stays_fp32(machine, tiny_onnx):
    machine(CUDA)
    with open_inpainter(tiny_onnx, "onnxruntime") as inpainter:
        assert inpainter.precision == "fp32"


def test_core_ml_is_taken_on_a_mac(machine, tiny_onnx, crops, holes):
    seen = machine(CORE_ML)
    with open_inpainter(tiny_onnx, "onnxruntime") as inpainter:
        assert "CoreML" in inpainter.reason
        inpainter(crops[:3], holes[:3])
    assert seen.wanted[0][0] == CORE_ML
    assert seen.sizes == [1, 4]
    assert "CoreML" in OnnxRuntimeEngine().probe().detail


@pytest.mark.parametrize("provider", [CUDA, CORE_ML])
def test_provider_that_does_not_start_is_one_line(machine, provider, tiny_onnx):
    machine(provider).starts = False
    with pytest.raises(UserError, match=r"did not start: .*take another engine") as raised:
        open_inpainter(tiny_onnx, "onnxruntime")
    assert "\n" not in str(raised.value)


def test_cpu_only_leaves_cuda_alone(machine, tiny_onnx):
    seen = machine(CUDA)
    engine = OnnxRuntimeEngine(cpu_only=True)
    status = engine.probe()
    assert status.detail.startswith("CPU: ")
    assert not status.accelerated
    info = engine.load(find_generator(tiny_onnx), None).info
    assert info.precision == "fp32"
    assert seen.wanted == [(CPU, {})]
    assert seen.preloaded == 0


def test_cuda_build_without_a_gpu_runs_on_the_cpu(machine, tiny_onnx):
    seen = machine(CUDA)
    seen.driver = False
    status = OnnxRuntimeEngine().probe()
    assert status.usable
    assert not status.accelerated
    assert "no NVIDIA GPU" in status.detail
    open_inpainter(tiny_onnx, "onnxruntime").close()
    assert seen.wanted == [(CPU, {})]


def test_probe_build_without_cuda_names_the_idle_gpu(machine):
    machine()
    status = OnnxRuntimeEngine().probe()
    assert status.usable and not status.accelerated
    assert "NVIDIA L4 (sm_89) is not used" in status.detail
    assert status.mend.startswith("pip install 'onnxruntime-gpu")
    assert "not used" not in OnnxRuntimeEngine(cpu_only=True).probe().detail


def test_probe_cuda_is_an_accelerator(machine):
    machine(CUDA)
    assert OnnxRuntimeEngine().probe().accelerated


@pytest.mark.gpu
def test_cuda_on_a_gpu_agrees_with_the_cpu(crops, holes):
    if not OnnxRuntimeEngine().probe().accelerated:
        pytest.skip("needs onnxruntime-gpu and an NVIDIA GPU")
    generator = find_generator(WEIGHTS_DIR / "fast.onnx")
    expected = OnnxRuntimeEngine(cpu_only=True).load(generator, None).run(crops, holes)
    out = OnnxRuntimeEngine().load(generator, None).run(crops, holes)
    assert np.array_equal(out[holes == 0], crops[holes == 0])
    assert np.abs(out.astype(int) - expected)[holes > 0].max() <= 3
