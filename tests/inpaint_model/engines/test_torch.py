"""The torch engine on a CPU: ONNX Runtime's pictures, the full-precision file, and clear refusals."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch.overrides import TorchFunctionMode

from inpaint_model import UserError, open_inpainter
from inpaint_model.artefacts import find_generator
from inpaint_model.engines import torch as torch_engine
from inpaint_model.engines.cuda.driver import Gpu, NvidiaState
from inpaint_model.engines.torch import TorchEngine
from inpaint_model.model_files import WEIGHTS_DIR

CARD = Gpu("NVIDIA L4", (8, 9), "13.0")


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(torch_engine, "find_gpu", lambda: NvidiaState(None, "no NVIDIA GPU"))


@pytest.mark.parametrize(("model", "count"), [("fast", 5), ("paper", 1)])
def test_shipped_files_agree_with_onnxruntime(no_gpu, model, count, crops, holes):
    path = WEIGHTS_DIR / f"{model}.onnx"
    with open_inpainter(path, "torch") as one, open_inpainter(path, "onnxruntime") as two:
        assert (one.precision, one.warnings) == ("fp32", ())
        out, expected = (each(crops[:count], holes[:count]) for each in (one, two))
    inside = holes[:count] > 0
    assert np.array_equal(out[~inside], crops[:count][~inside])
    assert np.abs(out[inside].astype(int) - expected[inside]).max() <= 2


def test_run_many_crops_goes_in_turns(no_gpu, crops, holes):
    many = np.tile(crops, (4, 1, 1, 1)), np.tile(holes, (4, 1, 1))
    with open_inpainter("fast", "torch") as inpainter:
        expected = np.tile(inpainter(crops, holes), (4, 1, 1, 1))
        assert np.abs(inpainter(*many).astype(int) - expected).max() <= 1


def test_load_takes_the_full_precision_file(no_gpu):
    with open_inpainter("fast", "torch") as inpainter:
        content = (WEIGHTS_DIR / "fast.onnx").read_bytes()
        assert inpainter.model_sha256 == hashlib.sha256(content).hexdigest()


def test_load_of_a_quantised_file_is_refused():
    with pytest.raises(UserError, match=r"int8\.onnx: it is quantised"):
        open_inpainter(WEIGHTS_DIR / "fast.int8.onnx", "torch")


def test_load_of_another_network_names_other_engines(tiny_onnx):
    message = r"tiny\.onnx: it holds no generator of this project; take engine tensorrt, onnxr"
    with pytest.raises(UserError, match=message):
        open_inpainter(tiny_onnx, "torch")


@pytest.mark.parametrize("half", [True, False])
def test_network_has_fused_convolutions_in_one_type(half):
    network = torch_engine._network(find_generator("fast").open(), half=half)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in network.modules())
    kinds = {parameter.dtype for parameter in network.parameters()}
    assert kinds == {torch.float16 if half else torch.float32}
    assert {buffer.dtype for buffer in network.buffers()} == {torch.float32}


class _NoValues(TorchFunctionMode):
    """Refuses what copies values between the host and a GPU: a CUDA graph cannot record it."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        name = getattr(func, "__name__", "")
        assert name not in ("tensor", "as_tensor", "from_numpy", "numpy", "item", "tolist"), name
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("model", ["fast", "paper"])
def test_network_copies_nothing_from_the_host(model):
    network = torch_engine._network(find_generator(model).open(), half=True).to("meta")
    crops = torch.empty((8, 128, 128, 3), dtype=torch.uint8, device="meta")
    with _NoValues():
        out = network(crops, crops[..., 0])
    assert (out.shape, out.dtype) == (crops.shape, torch.uint8)


def test_load_sets_threads_only_if_given(no_gpu, monkeypatch):
    given: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", given.append)
    open_inpainter("fast", "torch").close()
    assert given == []
    open_inpainter("fast", "torch", threads=3).close()
    assert given == [3]


@pytest.mark.parametrize("missing", ["torch", "onnx"])
def test_load_without_a_library_names_the_mend(missing, tiny_onnx, monkeypatch):
    monkeypatch.setitem(sys.modules, missing, None)
    message = rf"{missing} not installed; pip install torch onnx"
    with pytest.raises(UserError, match=message):
        open_inpainter(tiny_onnx, "torch")


def test_probe_broken_torch_is_not_usable(monkeypatch):
    def broken() -> str:
        raise OSError("libtorch_cuda.so: cannot open shared object file\nmore")

    monkeypatch.setattr(torch_engine, "_gpu_name", broken)
    status = TorchEngine().probe()
    assert not status.usable
    assert status.detail == "libtorch_cuda.so: cannot open shared object file"
    assert status.mend.startswith("pip install")


def test_probe_without_a_driver_does_not_import_torch():
    program = (
        "import sys\n"
        "from inpaint_model.engines import make_engine, torch\n"
        "from inpaint_model.engines.cuda.driver import NvidiaState\n"
        "torch.find_gpu = lambda: NvidiaState(None)\n"
        "status = make_engine('torch').probe()\n"
        "assert status.usable and status.version and not status.accelerated, status\n"
        "assert status.detail == 'CPU: fp32, for comparison', status\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_probe_names_the_gpu(monkeypatch):
    monkeypatch.setattr(torch_engine, "find_gpu", lambda: NvidiaState(CARD))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "NVIDIA L4")
    status = TorchEngine().probe()
    assert (status.usable, status.accelerated) == (True, True)
    assert status.detail == "CUDA: NVIDIA L4, CUDA graphs"


def test_probe_names_a_gpu_that_torch_cannot_use(monkeypatch):
    monkeypatch.setattr(torch_engine, "find_gpu", lambda: NvidiaState(CARD))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    status = TorchEngine().probe()
    assert status.usable and not status.accelerated
    assert "NVIDIA L4 (sm_89) is not used" in status.detail
    assert "CUDA" in status.mend
