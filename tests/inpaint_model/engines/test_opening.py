"""Which engine and model run: auto's choice and its reason, refusals that name the mend."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import onnx
import pytest

from inpaint_model import UserError, available_engines, open_inpainter
from inpaint_model.artefacts import find_generator
from inpaint_model.engines import cpu, make_engine, opening
from inpaint_model.engines.cuda.driver import NvidiaState, find_gpu
from inpaint_model.model_files import WEIGHTS_DIR

_OPEN_AND_CONVERT = """
import sys
from inpaint_model import open_inpainter
with open_inpainter(sys.argv[1], "openvino"):
    assert "openvino.tools.ovc" not in sys.modules
    import openvino
    assert len(openvino.convert_model(sys.argv[1]).inputs) == 2
"""


def test_auto_takes_openvino_and_says_why(tiny_onnx):
    with open_inpainter(tiny_onnx) as inpainter:
        assert inpainter.engine == "openvino"
        assert inpainter.precision in ("bf16", "fp32")
        assert inpainter.precision in inpainter.reason
        assert inpainter.reason.startswith("openvino")
        assert "auto" in inpainter.reason
        assert "\n" not in inpainter.reason
        assert inpainter.model == "tiny"
        assert inpainter.model_sha256 == hashlib.sha256(tiny_onnx.read_bytes()).hexdigest()


def test_openvino_converter_is_imported_when_it_is_called(tiny_onnx):
    subprocess.run([sys.executable, "-c", _OPEN_AND_CONVERT, str(tiny_onnx)], check=True)


def test_openvino_damaged_model_is_refused(tmp_path):
    """OpenVINO's reader crashes where the field of the second Cast's type has another number."""
    content = (WEIGHTS_DIR / "paper.int8.onnx").read_bytes()
    field = b"\xa0\x01\x02"
    at = content.index(field, content.index(field) + 1)
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(content[: at + 1] + b"\x03" + content[at + 2 :])
    with pytest.raises(UserError, match="the file is damaged"):
        open_inpainter(damaged, "openvino")


def test_auto_without_openvino_takes_onnxruntime(tiny_onnx, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with open_inpainter(tiny_onnx) as inpainter:
        assert inpainter.engine == "onnxruntime"
        assert "pip install openvino" in inpainter.reason


def test_a_named_engine_never_falls_back(tiny_onnx, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(UserError, match="pip install openvino"):
        open_inpainter(tiny_onnx, "openvino")


def test_auto_without_engines_names_every_mend(tiny_onnx, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UserError, match=r"pip install openvino.*pip install onnxruntime"):
        open_inpainter(tiny_onnx)


def test_auto_without_a_gpu_imports_nothing_for_one(tiny_onnx, monkeypatch):
    monkeypatch.setattr(opening, "find_gpu", lambda: NvidiaState(None, "no NVIDIA GPU"))
    for name in ("tensorrt", "tensorrt_rtx_bindings", "torch", "cuda"):
        monkeypatch.setitem(sys.modules, name, None)
    with open_inpainter(tiny_onnx) as inpainter:
        assert inpainter.reason.endswith("chosen by auto: no NVIDIA GPU; the fastest on a CPU")
        assert inpainter.warnings == ()


@pytest.mark.parametrize(
    ("model", "engine", "message"),
    [
        ("fsat", "auto", "unknown model 'fsat': take fast, paper"),
        ("no/such.onnx", "auto", "no such model file"),
        ("fast", "cuda", "unknown engine 'cuda': take auto, openvino"),
    ],
)
def test_open_unknown_name_is_refused(model, engine, message):
    with pytest.raises(UserError, match=message):
        open_inpainter(model, engine)


@pytest.mark.parametrize("engine", ["auto", "openvino", "onnxruntime"])
def test_open_file_that_is_no_model_is_refused(engine, tmp_path):
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"not a model")
    with pytest.raises(UserError, match=r"broken\.onnx") as raised:
        open_inpainter(path, engine)
    assert "\n" not in str(raised.value)


def test_open_without_threads_is_refused(tiny_onnx):
    with pytest.raises(UserError, match="at least 1"):
        open_inpainter(tiny_onnx, threads=0)


_FLAGS = {"VNNI": "avx2 avx_vnni", "AMX": "avx2 amx_int8", "AVX2": "avx2 fma", "": "sse2"}


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
@pytest.mark.parametrize("processor", _FLAGS)
def test_int8_file_runs_only_with_int8_instructions(
    engine, processor, tmp_path, tiny_onnx, monkeypatch
):
    full, int8 = tmp_path / "fast.onnx", tmp_path / "fast.int8.onnx"
    full.write_bytes(tiny_onnx.read_bytes())
    network = onnx.load(tiny_onnx)
    network.doc_string = "stands for DequantizeLinear"
    onnx.save(network, int8)
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"flags\t: {_FLAGS[processor]}\n")
    monkeypatch.setattr(cpu, "_CPUINFO", cpuinfo)
    monkeypatch.setattr(cpu, "_numpy_features", dict)
    runs_int8 = bool(processor)
    info = make_engine(engine).load(find_generator("fast", tmp_path), 1).info
    ran = int8 if runs_int8 else full
    assert info.model_sha256 == hashlib.sha256(ran.read_bytes()).hexdigest()
    assert (info.precision == "int8") == runs_int8
    assert info.precision_reason.startswith("the CPU has")
    if runs_int8:
        assert info.precision_reason == f"the CPU has {processor}"


def test_available_engines_reports_each():
    states = {state.name: state for state in available_engines()}
    assert list(states) == ["openvino", "onnxruntime", "tensorrt", "torch"]
    assert states["openvino"].usable
    assert "fp32" in states["openvino"].detail
    assert states["onnxruntime"].version
    assert states["torch"].usable and "fp32" in states["torch"].detail
    if find_gpu().gpu is None:
        assert not any(state.accelerated for state in states.values())
        assert not states["tensorrt"].usable and states["tensorrt"].detail
