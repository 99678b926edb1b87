"""A Triton repository is well formed: by Triton's own schema, and by running the model it holds."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import onnx
import pytest
from google.protobuf import text_format

from inpaint_model import UserError, open_inpainter
from inpaint_model.artefacts import find_generator
from inpaint_model.triton import export_repository


@pytest.fixture(scope="module")
def schema() -> ModuleType:
    """The messages of Triton's model_config.proto, without the client's network code."""
    spec = importlib.util.find_spec("tritonclient")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("tritonclient is not installed")
    path = Path(spec.submodule_search_locations[0]) / "grpc" / "model_config_pb2.py"
    found = importlib.util.spec_from_file_location("model_config_pb2", path)
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules["model_config_pb2"] = module
    found.loader.exec_module(module)
    return module


def test_export_repository_configuration_fits_the_model(schema, tiny_onnx, tmp_path: Path):
    target = export_repository(find_generator(tiny_onnx), tmp_path / "models")
    assert sorted(p.relative_to(target).as_posix() for p in target.rglob("*")) == [
        "1",
        "1/model.onnx",
        "config.pbtxt",
    ]
    config = text_format.Parse((target / "config.pbtxt").read_text(), schema.ModelConfig())
    assert config.name == target.name == "unmask_tiny"
    assert (config.platform, config.max_batch_size) == ("onnxruntime_onnx", 64)
    assert config.HasField("dynamic_batching")
    assert max(config.dynamic_batching.preferred_batch_size) <= config.max_batch_size
    graph = onnx.load(target / "1" / "model.onnx").graph
    for declared, given in ((config.input, graph.input), (config.output, graph.output)):
        assert [v.name for v in declared] == [v.name for v in given]
        for one, two in zip(declared, given, strict=True):
            shape = two.type.tensor_type.shape.dim
            assert list(one.dims) == [dim.dim_value for dim in shape[1:]]
            assert shape[0].dim_param  # any batch
            assert one.data_type == schema.DataType.Value("TYPE_UINT8")
            assert two.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    warm = config.model_warmup[0].inputs
    assert {name: list(value.dims) for name, value in warm.items()} == {
        value.name: list(value.dims) for value in config.input
    }


def test_export_repository_model_runs(tiny_onnx, crops, holes, tmp_path: Path):
    target = export_repository(find_generator(tiny_onnx), tmp_path)
    with open_inpainter(target / "1" / "model.onnx", "onnxruntime") as inpainter:
        assert not np.array_equal(inpainter(crops, holes), crops)
    assert "kind: KIND_AUTO" in (target / "config.pbtxt").read_text()  # also without a GPU


def test_export_repository_keeps_what_exists(tiny_onnx, tmp_path: Path):
    target = export_repository(find_generator(tiny_onnx), tmp_path)
    (target / "config.pbtxt").write_text("changed by hand")
    (tmp_path / "other").mkdir()
    with pytest.raises(UserError, match="--overwrite"):
        export_repository(find_generator(tiny_onnx), tmp_path)
    assert (target / "config.pbtxt").read_text() == "changed by hand"
    export_repository(find_generator(tiny_onnx), tmp_path, overwrite=True)
    assert "unmask_tiny" in (target / "config.pbtxt").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "unmask_tiny"]


def test_export_repository_failure_is_one_line(tiny_onnx, tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match=r"cannot be written \(Not a directory\)"):
        export_repository(find_generator(tiny_onnx), tmp_path / "file" / "models")
    with pytest.raises(UserError, match="a plan cannot be built"):
        export_repository(find_generator(tiny_onnx), tmp_path, "plan")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
