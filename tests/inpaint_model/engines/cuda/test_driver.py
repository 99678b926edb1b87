"""What the NVIDIA driver says is understood, and each way of having no GPU has its own words."""

from __future__ import annotations

import ctypes
import re
from pathlib import Path

import pytest

from inpaint_model.engines.cuda import driver as nvidia


class Driver:
    """The calls of libcuda that are used, answered by a card that is not here."""

    def __init__(self, init: int = 0, count: int = 1) -> None:
        self._init, self._count = init, count

    def cuInit(self, _flags):
        return self._init

    def cuDeviceGetCount(self, count):
        count._obj.value = self._count
        return 0

    def cuDeviceGet(self, device, ordinal):
        device._obj.value = ordinal
        return 0

    def cuDeviceGetName(self, name, length, device):
        assert length == 256 and device.value == 0
        name.value = b"NVIDIA GeForce RTX 4090"
        return 0

    def cuDriverGetVersion(self, version):
        version._obj.value = 12080
        return 0

    def cuDeviceGetAttribute(self, value, attribute, _device):
        value._obj.value = {75: 8, 76: 9}[attribute]
        return 0


def _slot(folder: Path, vendor: str, kind: str) -> Path:
    (folder / "0000:01:00.0").mkdir(parents=True)
    (folder / "0000:01:00.0" / "vendor").write_text(vendor + "\n")
    (folder / "0000:01:00.0" / "class").write_text(kind + "\n")
    return folder


def test_find_gpu_names_the_card(monkeypatch, tmp_path: Path):
    version = tmp_path / "version"
    version.write_text(
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release"
    )
    monkeypatch.setattr(nvidia, "_open_driver", Driver)
    monkeypatch.setattr(nvidia, "_DRIVER_VERSION", version)
    gpu = nvidia.find_gpu().gpu
    assert gpu == nvidia.Gpu("NVIDIA GeForce RTX 4090", (8, 9), "12.8", "580.65.06")
    assert str(gpu) == "NVIDIA GeForce RTX 4090 (sm_89)"


@pytest.mark.parametrize(
    ("driver", "problem"),
    [
        (Driver(init=100), "shows no GPU"),
        (Driver(count=0), "shows no GPU"),
        (Driver(init=803), r"does not start \(CUDA error 803\)"),
        (ctypes.CDLL(None), "is broken"),
    ],
)
def test_find_gpu_driver_without_a_gpu_has_a_mend(driver, problem, monkeypatch):
    monkeypatch.setattr(nvidia, "_open_driver", lambda: driver)
    state = nvidia.find_gpu()
    assert state.gpu is None and state.mend
    assert re.search(problem, state.problem)


@pytest.mark.parametrize(
    ("vendor", "kind", "there"),
    [("0x10de", "0x030000", True), ("0x10de", "0x040300", False), ("0x8086", "0x030000", False)],
)
def test_find_gpu_notices_a_card_without_a_driver(vendor, kind, there, monkeypatch, tmp_path: Path):
    monkeypatch.setattr(nvidia, "_open_driver", lambda: None)
    monkeypatch.setattr(nvidia, "_PCI_DEVICES", _slot(tmp_path, vendor, kind))
    state = nvidia.find_gpu()
    assert state.gpu is None
    assert ("its driver is not" in state.problem) == there
    assert bool(state.mend) == there
