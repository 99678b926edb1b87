"""Compiled models are kept and found again; a damaged or unwritable cache costs only time."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

from inpaint_model import open_inpainter
from inpaint_model.cache import CompiledCache, cache_dir
from tests.inpaint_model.giving_away import give_away


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CompiledCache:
    monkeypatch.setenv("UNMASK_CACHE_DIR", str(tmp_path / "cache"))
    return CompiledCache("openvino")


def test_openvino_second_start_compiles_nothing(cache, tiny_onnx, crops, holes, monkeypatch):
    import openvino

    with open_inpainter(tiny_onnx, "openvino") as first:
        expected = first(crops, holes)
    (entry,) = cache.entries()
    assert entry.path.name.startswith("tiny-") and 0 < entry.build_s < 60

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("compiled again")

    monkeypatch.setattr(openvino.Core, "compile_model", refuse)
    with open_inpainter(tiny_onnx, "openvino") as second:
        assert np.array_equal(second(crops, holes), expected)
        assert second.warnings == ()


def test_cache_other_settings_are_another_entry(cache, tiny_onnx):
    open_inpainter(tiny_onnx, "openvino", threads=1).close()
    open_inpainter(tiny_onnx, "openvino", threads=2).close()
    assert len(cache.entries()) == 2
    assert cache.clear() == 2
    assert cache.entries() == []


@pytest.mark.parametrize(
    "damage", ["cut", "changed", "empty", "refused by the engine", "no description"]
)
def test_cache_damaged_entry_is_compiled_again(damage, cache, tiny_onnx, crops, holes, caplog):
    with open_inpainter(tiny_onnx, "openvino") as first:
        expected = first(crops, holes)
    path = cache.entries()[0].path
    good = path.read_bytes()
    nonsense = b"\x55" * 5000
    content = {
        "cut": good[: len(good) // 2],
        "changed": good[:-100] + bytes(60) + good[-40:],
        "empty": b"",
        "refused by the engine": nonsense,
    }.get(damage, good)
    path.write_bytes(content)
    about = json.loads(path.with_suffix(".json").read_text())
    if damage == "refused by the engine":
        about["sha256"] = hashlib.sha256(nonsense).hexdigest()
        path.with_suffix(".json").write_text(json.dumps(about))
    if damage == "no description":
        path.with_suffix(".json").write_text("not JSON")
    with open_inpainter(tiny_onnx, "openvino") as again:
        assert np.array_equal(again(crops, holes), expected)
        assert "compiling it again" in again.warnings[0]
    assert "compiling it again" in caplog.text
    with open_inpainter(tiny_onnx, "openvino") as third:
        assert third.warnings == ()


@pytest.mark.parametrize("planted", ["blob", "json"])
def test_cache_entry_of_another_user_is_not_loaded(planted, cache, tmp_path, monkeypatch):
    key = {"model": "fast"}
    cache.store(key, b"compiled", 1.0)
    assert cache.load(key) == b"compiled"
    give_away(cache.path(key).with_suffix(f".{planted}"), monkeypatch)
    assert cache.load(key) is None
    assert "compiling it again" in cache.warnings[0]


def test_cache_entry_under_another_name_is_not_loaded(cache):
    one, other = {"model": "one"}, {"model": "other"}
    cache.store(one, b"compiled", 1.0)
    for suffix in (".blob", ".json"):
        cache.path(one).with_suffix(suffix).rename(cache.path(other).with_suffix(suffix))
    assert cache.load(other) is None


def test_cache_follows_weights_in_other_files(cache, tiny_onnx, tmp_path, crops, holes):
    path, weights = tmp_path / "model.onnx", tmp_path / "weights.bin"
    onnx.save(
        onnx.load(tiny_onnx),
        path,
        save_as_external_data=True,
        location=weights.name,
        size_threshold=64,
    )
    with open_inpainter(path, "openvino") as first:
        before, sha256 = first(crops, holes), first.model_sha256
    weights.write_bytes(bytes(weights.stat().st_size))
    with open_inpainter(path, "openvino") as second:
        assert second.model_sha256 != sha256
        assert not np.array_equal(second(crops, holes), before)


def test_cache_unwritable_is_a_warning(tmp_path, tiny_onnx, crops, holes, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("UNMASK_CACHE_DIR", str(tmp_path / "file" / "cache"))
    with open_inpainter(tiny_onnx, "openvino") as inpainter:
        assert inpainter(crops, holes).shape == crops.shape
        (warning,) = inpainter.warnings
    assert "(Not a directory)" in warning and "UNMASK_CACHE_DIR" in warning


def test_cache_full_drops_the_oldest(cache):
    for number in range(40):
        cache.store({"model": f"m{number}"}, b"compiled", 1.0)
    assert len(cache.entries()) < 40
    assert len(list(cache.folder.iterdir())) == 2 * len(cache.entries())
    assert cache.load({"model": "m39"}) == b"compiled"


def test_describe_changes_names_the_old_version(cache):
    key = {"model": "fast", "device": "sm_86", "library": "TensorRT 10.3.0"}
    assert cache.describe_changes(key) == ""
    assert cache.last_build_s(key) == 0
    cache.store(key, b"compiled", 41.5)
    newer = key | {"library": "TensorRT 11.4.0"}
    assert cache.load(newer) is None
    assert cache.describe_changes(newer) == "library was TensorRT 10.3.0"
    cache.store(key | {"model": "paper"}, b"compiled", 99.0)
    (cache.folder / "damaged.json").write_text("{")
    assert cache.last_build_s(newer) == 41.5
    assert cache.describe_changes(key | {"device": "sm_89"}) == ""  # another card is no change


def test_side_file_is_kept_and_cleared(cache):
    assert cache.load_side_file("timing") == b""
    cache.store_side_file("timing", b"measured")
    assert cache.load_side_file("timing") == b"measured"
    assert cache.clear() == 0
    assert cache.load_side_file("timing") == b""


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "/home/ann/.cache/unmask-video"),
        ({"XDG_CACHE_HOME": "/x/cache"}, "/x/cache/unmask-video"),
        ({"XDG_CACHE_HOME": "/x/cache", "UNMASK_CACHE_DIR": "/mine"}, "/mine"),
    ],
)
@pytest.mark.parametrize("package", ["platformdirs", "none"])
@pytest.mark.skipif(sys.platform != "linux", reason="the folders of Linux")
def test_cache_dir_on_linux_follows_the_variables(variables, expected, package, monkeypatch):
    if package == "none":
        monkeypatch.setitem(sys.modules, "platformdirs", None)
    for name in ("UNMASK_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (variables | {"HOME": "/home/ann"}).items():
        monkeypatch.setenv(name, value)
    assert cache_dir() == Path(expected)
