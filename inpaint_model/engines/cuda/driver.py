"""Asks the NVIDIA driver which GPU is here, without any CUDA package."""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_LIBRARIES = ("nvcuda.dll",) if sys.platform == "win32" else ("libcuda.so.1", "libcuda.so")
# CUdevice_attribute: the two numbers of the compute capability.
_CAPABILITY_MAJOR, _CAPABILITY_MINOR = 75, 76
_PCI_DEVICES = Path("/sys/bus/pci/devices")
_DRIVER_VERSION = Path("/proc/driver/nvidia/version")
_NVIDIA_VENDOR, _DISPLAY_CLASS = "0x10de", "0x03"  # PCI vendor id, start of the PCI class
_ERROR_NO_DEVICE = 100  # CUDA_ERROR_NO_DEVICE


@dataclass(frozen=True)
class Gpu:
    """The first GPU the driver shows (`CUDA_VISIBLE_DEVICES` chooses among several).

    Attributes:
        name: such as "NVIDIA GeForce RTX 4090".
        capability: compute capability, such as (8, 9).
        cuda: the newest CUDA version the driver runs, such as "13.0".
        driver: the driver's own version, or empty if it cannot be read.
    """

    name: str
    capability: tuple[int, int]
    cuda: str
    driver: str = ""

    @property
    def architecture(self) -> str:
        """The capability as NVIDIA's tools write it, such as "sm_89"."""
        return f"sm_{self.capability[0]}{self.capability[1]}"

    def __str__(self) -> str:
        return f"{self.name} ({self.architecture})"


@dataclass(frozen=True)
class NvidiaState:
    """Whether there is an NVIDIA GPU.

    Attributes:
        gpu: the GPU, or None.
        problem: why there is none.
        mend: what to do; empty if no such GPU is in the machine.
    """

    gpu: Gpu | None
    problem: str = ""
    mend: str = ""


def find_gpu() -> NvidiaState:
    """Look for an NVIDIA GPU. Never raises; takes microseconds if there is no driver."""
    driver = _open_driver()
    if driver is None:
        if _has_nvidia_pci_device():
            return NvidiaState(
                None,
                "an NVIDIA GPU is in this machine, and its driver is not",
                "install NVIDIA's driver (in a container: run it with --gpus all)",
            )
        return NvidiaState(None, "no NVIDIA GPU")
    try:
        return _query(driver)
    except (AttributeError, OSError) as error:
        return NvidiaState(None, f"the NVIDIA driver is broken: {error}", "install it again")


def _open_driver() -> Any:
    for name in _LIBRARIES:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    return None


def _query(driver: Any) -> NvidiaState:
    status = driver.cuInit(0)
    count = ctypes.c_int()
    if status == 0:
        status = driver.cuDeviceGetCount(ctypes.byref(count))
    if status == _ERROR_NO_DEVICE or (status == 0 and count.value == 0):
        mend = (
            "look at nvidia-smi and CUDA_VISIBLE_DEVICES (in a container: run it with --gpus all)"
        )
        return NvidiaState(None, "the NVIDIA driver shows no GPU", mend)
    if status != 0:
        mend = "look at nvidia-smi; after an update of the driver, restart"
        return NvidiaState(None, f"the NVIDIA driver does not start (CUDA error {status})", mend)
    device, name = ctypes.c_int(), ctypes.create_string_buffer(256)
    driver.cuDeviceGet(ctypes.byref(device), 0)
    driver.cuDeviceGetName(name, len(name), device)
    version = ctypes.c_int()
    driver.cuDriverGetVersion(ctypes.byref(version))
    capability = (
        _attribute(driver, device, _CAPABILITY_MAJOR),
        _attribute(driver, device, _CAPABILITY_MINOR),
    )
    cuda = f"{version.value // 1000}.{version.value % 1000 // 10}"
    return NvidiaState(Gpu(name.value.decode(), capability, cuda, _driver_version()))


def _attribute(driver: Any, device: ctypes.c_int, attribute: int) -> int:
    value = ctypes.c_int()
    driver.cuDeviceGetAttribute(ctypes.byref(value), attribute, device)
    return value.value


def _driver_version() -> str:
    """Read the version from a line such as "NVRM version: NVIDIA ... Module  580.65.06  ..."."""
    try:
        words = _DRIVER_VERSION.read_text(encoding="utf-8").split()
    except OSError:
        return ""
    numbers = (word for word in words if word.count(".") >= 1 and word[0].isdigit())
    return next(numbers, "")


def _has_nvidia_pci_device() -> bool:
    """Whether the PCI bus has an NVIDIA display controller (on Linux; elsewhere always False)."""
    for device in _PCI_DEVICES.glob("*"):
        try:
            vendor = (device / "vendor").read_text().strip()
            kind = (device / "class").read_text()
        except OSError:
            continue
        if vendor == _NVIDIA_VENDOR and kind.startswith(_DISPLAY_CLASS):
            return True
    return False
