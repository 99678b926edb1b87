"""The shipped models are taken by a real TensorRT for RTX and built, with no GPU here."""

from __future__ import annotations

from pathlib import Path

import pytest
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)

from inpaint_model import UserError
from inpaint_model.engines.tensorrt.builder import (
    STATIC_PROFILES,
    Profile,
    architecture_names,
    build,
    make_progress_monitor,
)
from inpaint_model.engines.tensorrt.library import TensorRt, TensorRtMissing, import_tensorrt
from inpaint_model.model_files import WEIGHTS_DIR


@pytest.fixture(scope="module")
def rtx() -> TensorRt:
    try:
        library = import_tensorrt()
    except TensorRtMissing as error:
        pytest.skip(str(error))
    if not library.rtx:
        pytest.skip(f"{library} cannot build without its GPU")
    return library


@pytest.mark.parametrize(
    ("model", "architecture"),
    [*(("fast", each) for each in ("sm_75", "sm_86", "sm_89", "sm_120")), ("paper", "sm_86")],
)
def test_build_shipped_models_for_absent_gpus(model, architecture, rtx):
    onnx = (WEIGHTS_DIR / f"{model}.onnx").read_bytes()
    done = build(rtx, onnx, architectures=[architecture])
    assert done.precision == "fp16"
    assert len(done.plan) > len(onnx)  # all weights, and one set of kernels for each profile


def test_build_one_engine_for_several_architectures(rtx, tiny_onnx):
    one = build(rtx, tiny_onnx.read_bytes(), architectures=["sm_86"])
    two = build(rtx, tiny_onnx.read_bytes(), architectures=["sm_86", "sm_120"])
    assert one.precision == "fp32"
    assert len(two.plan) != len(one.plan)


def test_build_signed_qdq_network_is_int8(rtx, tiny_onnx, crops, holes, tmp_path: Path):
    class Samples(CalibrationDataReader):
        def __init__(self) -> None:
            self._left = iter([{"crops": crops, "holes": holes}])

        def get_next(self):  # pyright: ignore[reportIncompatibleMethodOverride]
            return next(self._left, None)

    path = tmp_path / "tiny.int8.onnx"
    quantize_static(
        tiny_onnx,
        path,
        Samples(),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QInt8,
        weight_type=QuantType.QInt8,
        op_types_to_quantize=["Conv"],
        extra_options={"ActivationSymmetric": True, "QuantizeBias": False},
    )
    assert build(rtx, path.read_bytes(), architectures=["sm_89"]).precision == "int8"


def test_build_takes_dynamic_profiles(rtx, tiny_onnx):
    wide = build(
        rtx, tiny_onnx.read_bytes(), profiles=[Profile(1, 16, 64)], architectures=["sm_86"]
    )
    assert (
        0
        < len(wide.plan)
        < len(
            build(
                rtx, tiny_onnx.read_bytes(), profiles=STATIC_PROFILES, architectures=["sm_86"]
            ).plan
        )
    )


def test_build_failure_is_one_line(rtx, tiny_onnx, tmp_path: Path):
    with pytest.raises(UserError, match=r"does not build for sm_90: it knows .*sm_86"):
        build(rtx, tiny_onnx.read_bytes(), architectures=["sm_90"])
    with pytest.raises(UserError, match="does not take this network") as raised:
        build(rtx, b"not a model", architectures=["sm_86"])
    assert "\n" not in str(raised.value)
    assert "sm_86" in architecture_names(rtx)


def test_build_tensorrt_refuses_other_architectures(tiny_onnx):
    library = TensorRt(None, "tensorrt", "11.4.0")
    with pytest.raises(UserError, match="for the GPU that is here alone"):
        build(library, tiny_onnx.read_bytes(), architectures=["sm_86"])


def test_progress_monitor_shows_and_stops(rtx, monkeypatch):
    shown: list[str] = []
    monitor = make_progress_monitor(rtx.api, shown.append)
    clock = iter([1.0, 2.5, 2.6, 5.0])
    monkeypatch.setattr(
        "inpaint_model.engines.tensorrt.builder.time.monotonic",
        lambda: next(clock) + monitor._began,
    )
    monitor.phase_start("Building engine", None, 6)
    assert all(monitor.step_complete("Building engine", step) for step in range(3))
    assert shown == ["Building engine 2/6 (2 s)"]
    monitor.cancel()
    assert not monitor.step_complete("Building engine", 3)
    assert shown[1] == "Building engine 4/6 (5 s)"


def test_a_build_that_is_stopped_ends(rtx, monkeypatch):
    """What Ctrl-C does: the monitor says no at its next step, and no engine comes out."""
    from inpaint_model.engines.tensorrt import builder as trt_builder

    def stopped(api):
        monitor = make_progress_monitor(api)
        monitor.cancel()
        return monitor

    monkeypatch.setattr(trt_builder, "make_progress_monitor", stopped)
    onnx = (WEIGHTS_DIR / "fast.onnx").read_bytes()
    with pytest.raises(UserError, match="cannot build"):
        build(rtx, onnx, architectures=["sm_86"])
