"""`unmask engine`: what a user sees when building, listing, clearing and exporting."""

from __future__ import annotations

from pathlib import Path

import pytest

from inpaint_model.engines.tensorrt.library import TensorRtMissing, import_tensorrt
from realtime.cli.app import run


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("UNMASK_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_engine_of_the_cpu_is_built_listed_and_cleared(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["engine", "build", "--model", "fast", "--engine", "openvino"]) == 0
    said = capsys.readouterr().err
    assert "unmask: fast: ready in" in said and "engine named by the caller" in said
    assert run(["engine", "list"]) == 0
    listed = capsys.readouterr().out
    assert "openvino: 1 in " in listed and "OpenVINO" in listed
    assert run(["engine", "clear", "--engine", "tensorrt"]) == 0
    assert run(["engine", "clear"]) == 0
    assert "openvino: 1 removed" in capsys.readouterr().out
    assert run(["engine", "list"]) == 0
    assert "openvino: 0 in " in capsys.readouterr().out


def test_engine_build_for_another_gpu_works_without_it(
    capsys: pytest.CaptureFixture[str], cache: Path
) -> None:
    try:
        library = import_tensorrt()
    except TensorRtMissing as error:
        pytest.skip(str(error))
    if not library.rtx:
        pytest.skip(f"{library} builds for its own GPU alone")
    assert run(["engine", "build", "--model", "fast", "--for", "sm_89"]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith(f"unmask: building the {library} engine of fast for sm_89")
    assert lines[-2].startswith("unmask: built in ")
    (plan,) = (cache / "compiled" / "tensorrt").glob("*.blob")
    assert lines[-1] == f"unmask: fast: {plan}"
    assert run(["engine", "list"]) == 0
    assert "fast, fp16, sm_89, TensorRT for RTX" in capsys.readouterr().out


def test_engine_export_writes_a_triton_repository(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    target = tmp_path / "models"
    assert run(["engine", "export", "--triton", str(target)]) == 0
    assert {path.name for path in target.iterdir()} == {"unmask_fast", "unmask_paper"}
    assert "tritonserver --model-repository=" in capsys.readouterr().err
    assert run(["engine", "export", "--triton", str(target)]) == 2
    assert "--overwrite" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["build", "--for", "sm_86", "--engine", "openvino"], "--for is for engine tensorrt"),
        (["build", "--model", "fsat"], "unknown model 'fsat'"),
        (["clear", "--engine", "torch"], "caches no compiled models"),
        (["export"], "--triton"),
    ],
)
def test_engine_wrong_use_is_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["engine", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
