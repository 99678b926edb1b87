"""An inpainter keeps its contract on every engine: known pixels, any batch, clear refusals."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from inpaint_model import UserError, open_inpainter
from inpaint_model.model_files import WEIGHTS_DIR

ENGINES = ("openvino", "onnxruntime", "torch")


@pytest.fixture
def model(engine: str, tiny_onnx: Path) -> Path:
    """A small model that the engine runs: engine torch runs this project's networks alone."""
    return WEIGHTS_DIR / "fast.onnx" if engine == "torch" else tiny_onnx


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("count", [0, 1, 3, 5])
def test_inpainter_fills_holes_and_keeps_the_rest(engine, count, model, crops, holes):
    with open_inpainter(model, engine) as inpainter:
        before = crops[:count].copy()
        out = inpainter(before, holes[:count])
    assert out.shape == (count, 128, 128, 3)
    assert out.dtype == np.uint8
    assert np.array_equal(before, crops[:count])
    known = holes[:count] == 0
    assert np.array_equal(out[known], crops[:count][known])
    assert count == 0 or not np.array_equal(out, crops[:count])


@pytest.mark.parametrize("engine", ENGINES)
def test_a_batch_is_its_crops_and_any_nonzero_is_a_hole(engine, model, crops, holes):
    with open_inpainter(model, engine) as inpainter:
        batch = inpainter(crops, holes)
        singles = [inpainter(crops[i : i + 1], holes[i : i + 1] > 0) for i in range(5)]
    assert np.abs(batch.astype(int) - np.concatenate(singles)).max() <= 1


@pytest.mark.parametrize("engine", ENGINES)
def test_inpainter_takes_views_and_read_only_arrays(engine, model, crops, holes):
    with open_inpainter(model, engine) as inpainter:
        expected = inpainter(np.ascontiguousarray(crops[::2]), np.ascontiguousarray(holes[::2]))
        frozen_crops, frozen_holes = crops.copy(), holes > 0
        frozen_crops.flags.writeable = frozen_holes.flags.writeable = False
        assert np.array_equal(inpainter(crops[::2], holes[::2]), expected)
        out = inpainter(frozen_crops, frozen_holes)
        out[:] = 0  # the caller's own
        assert np.array_equal(inpainter(frozen_crops, frozen_holes)[::2], expected)


def test_cpu_engines_agree(tiny_onnx, crops, holes):
    with (
        open_inpainter(tiny_onnx, "openvino") as one,
        open_inpainter(tiny_onnx, "onnxruntime") as two,
    ):
        apart = np.abs(one(crops, holes).astype(int) - two(crops, holes))
    assert apart.max() <= 3


@pytest.mark.parametrize("engine", ENGINES)
def test_inpainter_shared_by_two_threads_is_correct(engine, model, crops, holes):
    with open_inpainter(model, engine, threads=1) as inpainter:
        expected = [inpainter(crops[i : i + 1], holes[i : i + 1]) for i in range(5)]
        with ThreadPoolExecutor(2) as pool:
            jobs = [
                (i, pool.submit(inpainter, crops[i : i + 1], holes[i : i + 1]))
                for i in [0, 1, 2, 3, 4] * 8
            ]
            assert all(np.array_equal(job.result(), expected[i]) for i, job in jobs)


@pytest.mark.parametrize(
    ("crop_shape", "hole_shape", "crop_type", "hole_type", "named"),
    [
        ((1, 64, 64, 3), (1, 64, 64), np.uint8, np.uint8, "crops must be"),
        ((128, 128, 3), (128, 128), np.uint8, np.uint8, "crops must be"),
        ((1, 3, 128, 128), (1, 128, 128), np.uint8, np.uint8, "crops must be"),
        ((1, 128, 128, 3), (1, 128, 128), np.float32, np.uint8, "crops must be"),
        ((2, 128, 128, 3), (1, 128, 128), np.uint8, np.uint8, "holes must be"),
        ((1, 128, 128, 3), (1, 128, 128, 1), np.uint8, np.bool_, "holes must be"),
        ((1, 128, 128, 3), (1, 128, 128), np.uint8, np.float32, "holes must be"),
    ],
)
def test_inpainter_wrong_arrays_are_refused(
    tiny_onnx, crop_shape, hole_shape, crop_type, hole_type, named
):
    with open_inpainter(tiny_onnx) as inpainter, pytest.raises(ValueError, match=named):
        inpainter(np.zeros(crop_shape, crop_type), np.zeros(hole_shape, hole_type))


def test_inpainter_closed_refuses_calls(tiny_onnx, crops, holes):
    inpainter = open_inpainter(tiny_onnx)
    inpainter.close()
    inpainter.close()
    with pytest.raises(RuntimeError, match="closed"):
        inpainter(crops, holes)


def test_open_inpainter_does_not_import_torch(tiny_onnx):
    program = (
        "import sys, inpaint_model\n"
        "loaded = sorted({'openvino', 'onnxruntime', 'torch'} & set(sys.modules))\n"
        "assert not loaded, loaded\n"
        f"print(inpaint_model.open_inpainter({str(tiny_onnx)!r}).engine)\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout.strip()) == (0, "openvino"), done.stderr


@pytest.mark.parametrize("engine", ENGINES)
def test_open_inpainter_runs_the_shipped_fast(engine, crops, holes):
    with open_inpainter("fast", engine) as inpainter:
        out = inpainter(crops, holes)
        precise = open_inpainter(WEIGHTS_DIR / "fast.onnx", "onnxruntime")(crops, holes)
        assert inpainter.model == "fast"
    assert np.array_equal(out[holes == 0], crops[holes == 0])
    assert np.abs(out.astype(int) - precise)[holes > 0].mean() < 3


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_model_that_changes_known_pixels_is_refused(engine, careless_onnx):
    with pytest.raises(UserError, match="outside the hole"):
        open_inpainter(careless_onnx, engine)


@pytest.mark.parametrize("model", ["fast", "paper"])
def test_int8_files_agree_on_both_cpu_engines(model, crops, holes):
    path, crops, holes = WEIGHTS_DIR / f"{model}.int8.onnx", crops[:2], holes[:2]
    with open_inpainter(path, "openvino") as one, open_inpainter(path, "onnxruntime") as two:
        out, other = one(crops, holes), two(crops, holes)
        assert one.precision == two.precision == "int8"
    assert np.abs(out.astype(int) - other)[holes > 0].mean() < 1
    with open_inpainter(WEIGHTS_DIR / f"{model}.onnx", "onnxruntime") as full:
        assert np.abs(out.astype(int) - full(crops, holes))[holes > 0].mean() < 4
