"""Compiled models are kept and found again; a damaged or unwritable cache costs only time."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import numpy as np
import pytest

from inpaint_model import open_inpainter
from inpaint_model.cache import CompiledCache, cache_dir


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CompiledCache:
    monkeypatch.setenv("UNMASK_CACHE_DIR", str(tmp_path / "cache"))
    return CompiledCache("openvino")


def test_a_second_start_compiles_nothing(cache, tiny_onnx, crops, holes, monkeypatch):
    import openvino

    with open_inpainter(tiny_onnx, "openvino") as first:
        expected = first(crops, holes)
    (entry,) = cache.entries()
    assert entry.path.name.startswith("tiny-")

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("compiled again")

    monkeypatch.setattr(openvino.Core, "compile_model", refuse)
    with open_inpainter(tiny_onnx, "openvino") as second:
        assert np.array_equal(second(crops, holes), expected)
        assert second.warnings == ()


def test_other_settings_are_another_entry(cache, tiny_onnx):
    open_inpainter(tiny_onnx, "openvino", threads=1).close()
    open_inpainter(tiny_onnx, "openvino", threads=2).close()
    assert len(cache.entries()) == 2
    assert cache.clear() == 2
    assert cache.entries() == []


@pytest.mark.parametrize("damage", ["cut", "changed", "empty", "refused by the engine"])
def test_a_damaged_entry_is_made_anew(damage, cache, tiny_onnx, crops, holes, caplog):
    with open_inpainter(tiny_onnx, "openvino") as first:
        expected = first(crops, holes)
    path = cache.entries()[0].path
    good = path.read_bytes()
    nonsense = b"\x55" * 5000
    path.write_bytes(
        {
            "cut": good[: len(good) // 2],
            "changed": good[:-100] + bytes(60) + good[-40:],
            "empty": b"",
            "refused by the engine": nonsense + hashlib.sha256(nonsense).digest(),
        }[damage]
    )
    with open_inpainter(tiny_onnx, "openvino") as again:
        assert np.array_equal(again(crops, holes), expected)
        assert "compiling it again" in again.warnings[0]
    assert "compiling it again" in caplog.text
    with open_inpainter(tiny_onnx, "openvino") as third:
        assert third.warnings == ()


def test_an_unwritable_cache_is_a_warning(tmp_path, tiny_onnx, crops, holes, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("UNMASK_CACHE_DIR", str(tmp_path / "file" / "cache"))
    with open_inpainter(tiny_onnx, "openvino") as inpainter:
        assert inpainter(crops, holes).shape == crops.shape
        (warning,) = inpainter.warnings
    assert "UNMASK_CACHE_DIR" in warning


def test_the_oldest_entries_go(cache):
    for number in range(40):
        cache.store(f"model-{number}", b"compiled")
    assert len(cache.entries()) < 40
    assert cache.load("model-39") == b"compiled"


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {"XDG_CACHE_HOME": "/x/cache"}, "/x/cache/unmask-video"),
        ("linux", {"XDG_CACHE_HOME": "relative"}, "/home/ann/.cache/unmask-video"),
        ("darwin", {}, "/home/ann/Library/Caches/unmask-video"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/unmask-video"),
        ("linux", {"UNMASK_CACHE_DIR": "/mine"}, "/mine"),
    ],
)
def test_the_place_of_the_cache(platform, variables, expected, monkeypatch):
    for name in ("UNMASK_CACHE_DIR", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(Path, "home", lambda: Path("/home/ann"))
    assert cache_dir() == Path(expected)
