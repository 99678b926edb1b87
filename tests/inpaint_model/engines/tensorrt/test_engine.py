"""The TensorRT engine: built once, kept, rebuilt if outdated or damaged; a stand-in runs it here."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from inpaint_model import UserError, available_engines, open_inpainter
from inpaint_model.artefacts import find_generator
from inpaint_model.cache import CompiledCache
from inpaint_model.engines import opening
from inpaint_model.engines import torch as torch_engine
from inpaint_model.engines.base import EngineStatus
from inpaint_model.engines.cuda import driver as nvidia
from inpaint_model.engines.cuda.driver import Gpu, NvidiaState
from inpaint_model.engines.tensorrt import engine as tensorrt
from inpaint_model.engines.tensorrt.builder import BATCH_SIZES
from inpaint_model.engines.tensorrt.library import TensorRt, TensorRtMissing, import_tensorrt
from tests.inpaint_model.fake_gpu import FakeDevice, FakeEngine

CARD = Gpu("NVIDIA GeForce RTX 3090", (8, 6), "13.0", "580.65.06")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CompiledCache:
    monkeypatch.setenv("UNMASK_CACHE_DIR", str(tmp_path / "cache"))
    return CompiledCache("tensorrt")


@pytest.fixture(scope="module")
def rtx() -> TensorRt:
    try:
        return import_tensorrt()
    except TensorRtMissing as error:
        pytest.skip(str(error))


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch, rtx: TensorRt, tiny_onnx: Path) -> SimpleNamespace:
    """A machine with a card: the build is TensorRT's own, what runs the engine is a stand-in."""
    here = SimpleNamespace(refuses=0, library=rtx)

    class Runtime:
        def __init__(self, _logger):
            pass

        def deserialize_cuda_engine(self, plan):
            if here.refuses:
                here.refuses -= 1
                return None
            return FakeEngine(tiny_onnx, BATCH_SIZES, here.device)

    class Api:
        def __getattr__(self, name):
            return Runtime if name == "Runtime" else getattr(rtx.api, name)

    def new_device() -> FakeDevice:
        return here.device

    here.device = FakeDevice()
    here.library = replace(rtx, api=Api())
    monkeypatch.setattr(tensorrt, "find_gpu", lambda: NvidiaState(CARD))
    monkeypatch.setattr(opening, "find_gpu", lambda: NvidiaState(CARD))
    monkeypatch.setattr(tensorrt, "import_tensorrt", lambda: here.library)
    monkeypatch.setattr(tensorrt, "Cuda", new_device)
    return here


def _builds(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.getMessage().startswith("building")]


def test_auto_with_a_gpu_takes_tensorrt(cache, card, tiny_onnx, crops, holes):
    with open_inpainter(tiny_onnx) as inpainter, open_inpainter(tiny_onnx, "openvino") as cpu:
        assert inpainter.engine == "tensorrt"
        assert "RTX 3090 (sm_86)" in inpainter.reason
        assert "chosen by auto: the fastest on this GPU" in inpainter.reason
        assert np.abs(inpainter(crops, holes).astype(int) - cpu(crops, holes)).max() <= 3


def test_load_second_start_builds_nothing(cache, card, tiny_onnx, caplog):
    caplog.set_level(logging.INFO, "inpaint_model")
    open_inpainter(tiny_onnx, "tensorrt").close()
    (said,) = _builds(caplog)
    assert "engine of tiny for sm_86" in said
    open_inpainter(tiny_onnx, "tensorrt").close()
    assert len(_builds(caplog)) == 1
    (entry,) = cache.entries()
    assert entry.key["library"] == str(card.library)
    assert entry.key["device"] == "sm_86"
    assert entry.key["shapes"] == "1, 2, 4, 64"
    assert entry.build_s > 0


@pytest.mark.parametrize("damage", ["cut", "no description", "refused"])
def test_load_damaged_engine_is_rebuilt_with_warning(damage, cache, card, tiny_onnx, caplog):
    caplog.set_level(logging.INFO, "inpaint_model")
    open_inpainter(tiny_onnx, "tensorrt").close()
    path = cache.entries()[0].path
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:1000])
    elif damage == "no description":
        path.with_suffix(".json").unlink()
    else:
        card.refuses = 1
    with open_inpainter(tiny_onnx, "tensorrt") as again:
        assert "compiling it again" in again.warnings[0]
    assert len(_builds(caplog)) == 2
    assert "it took" in _builds(caplog)[1] or damage != "cut"


def test_load_other_version_or_model_is_rebuilt(cache, card, tiny_onnx, tmp_path, caplog):
    caplog.set_level(logging.INFO, "inpaint_model")
    model = tmp_path / "mine.onnx"
    model.write_bytes(tiny_onnx.read_bytes())
    open_inpainter(model, "tensorrt").close()
    card.library = replace(card.library, version="1.9.0")
    open_inpainter(model, "tensorrt").close()
    assert f"again (library was {replace(card.library, version=_version())})" in _builds(caplog)[1]
    model.write_bytes((tiny_onnx.parents[0] / tiny_onnx.name).read_bytes() + b"\x12\x00")
    open_inpainter(model, "tensorrt").close()
    assert "again (model_sha256 was " in _builds(caplog)[2]
    assert len(cache.entries()) == 3


def _version() -> str:
    return import_tensorrt().version


def test_build_ahead_for_other_architectures(cache, card, tiny_onnx):
    generator = find_generator(tiny_onnx)
    paths = tensorrt.TensorRtEngine().build_ahead(generator, ["sm_86", "sm_120"])
    assert all(path.is_file() and path.with_suffix(".json").is_file() for path in paths)
    before = [path.stat().st_mtime_ns for path in paths]
    contents = [path.read_bytes() for path in paths]
    assert tensorrt.TensorRtEngine().build_ahead(generator, ["sm_86", "sm_120"]) == paths
    assert [path.read_bytes() for path in paths] == contents
    with open_inpainter(tiny_onnx, "tensorrt"):  # this card is an sm_86
        assert len(cache.entries()) == 2
    assert before


def test_auto_gpu_without_tensorrt_is_a_warning(card, tiny_onnx, monkeypatch):
    def missing() -> TensorRt:
        raise TensorRtMissing("TensorRT is not installed")

    monkeypatch.setattr(tensorrt, "import_tensorrt", missing)
    unable = EngineStatus("torch", False, "", "torch is not installed")
    monkeypatch.setattr(torch_engine.TorchEngine, "probe", lambda _: unable)
    with open_inpainter(tiny_onnx) as inpainter:
        assert inpainter.engine == "openvino"
        assert "NVIDIA GeForce RTX 3090 (sm_86) is not used" in inpainter.reason
        assert "pip install tensorrt" in inpainter.reason
        assert "is not used" in inpainter.warnings[-1]
    with pytest.raises(UserError, match=r"RTX 3090.*pip install tensorrt"):
        open_inpainter(tiny_onnx, "tensorrt")


def test_load_without_a_gpu_says_why(tiny_onnx, monkeypatch):
    state = NvidiaState(None, "the NVIDIA driver shows no GPU", "look at nvidia-smi")
    monkeypatch.setattr(tensorrt, "find_gpu", lambda: state)
    monkeypatch.setattr(opening, "find_gpu", lambda: state)
    status = next(s for s in available_engines() if s.name == "tensorrt")
    assert not status.usable and status.mend == "look at nvidia-smi"
    with pytest.raises(UserError, match="tensorrt cannot run: the NVIDIA driver shows no GPU"):
        open_inpainter(tiny_onnx, "tensorrt")
    with open_inpainter(tiny_onnx) as inpainter:
        assert "shows no GPU; look at nvidia-smi" in inpainter.warnings[-1]


def test_build_ahead_without_a_gpu_names_the_option(rtx, tiny_onnx, monkeypatch):
    monkeypatch.setattr(tensorrt, "find_gpu", lambda: NvidiaState(None, "no NVIDIA GPU"))
    with pytest.raises(UserError, match="--for sm_86"):
        tensorrt.TensorRtEngine().build_ahead(find_generator(tiny_onnx))


@pytest.mark.gpu
def test_on_a_gpu_it_agrees_with_the_cpu():
    _need_gpu()
    rng = np.random.default_rng(0)
    crops = rng.integers(0, 256, (9, 128, 128, 3), dtype=np.uint8)
    holes = np.zeros((9, 128, 128), np.uint8)
    holes[:, 60:120, 30:100] = 1
    for model in ("fast", "paper"):
        path = find_generator(model).path
        with open_inpainter(path, "tensorrt") as gpu, open_inpainter(path, "onnxruntime") as cpu:
            for count in (1, 2, 3, 4, 9):
                out, expected = (x(crops[:count], holes[:count]) for x in (gpu, cpu))
                assert np.array_equal(out[holes[:count] == 0], crops[:count][holes[:count] == 0])
                assert np.abs(out.astype(int) - expected).max() <= 3


def _need_gpu() -> None:
    status = tensorrt.TensorRtEngine().probe()
    if not status.usable:
        pytest.skip(status.detail)
    assert nvidia.find_gpu().gpu is not None
