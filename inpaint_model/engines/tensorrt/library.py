"""Finds TensorRT or TensorRT for RTX and imports whichever is installed."""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# The package that carries the libraries of TensorRT for RTX, in the order they are loaded.
_RTX_LIBRARIES_PACKAGE = "onnxruntime_ep_nv_tensorrt_rtx"
_RTX_LIBRARIES = ("tensorrt_rtx", "tensorrt_onnxparser_rtx")
_OLDEST_MAJOR = 10  # the oldest supported major version of TensorRT
MEND = (
    "pip install tensorrt cuda-bindings (all cards), or pip install tensorrt-rtx-cu13-bindings "
    "onnxruntime-ep-nv-tensorrt-rtx-cu13 cuda-bindings (GeForce and workstation cards)"
)


class TensorRtMissing(ImportError):
    """No TensorRT can be imported.

    Attributes:
        why: the reason; the message adds what mends it.
    """

    def __init__(self, why: str) -> None:
        super().__init__(f"{why}; {MEND}")
        self.why = why


@dataclass(frozen=True)
class TensorRt:
    """An imported TensorRT.

    Attributes:
        api: the module `tensorrt` or `tensorrt_rtx`; their APIs are the same but for `rtx`.
        name: "tensorrt" or "tensorrt_rtx".
        version: such as "11.4.0".
    """

    api: Any
    name: str
    version: str

    @property
    def rtx(self) -> bool:
        """Whether it is TensorRT for RTX, which builds without a GPU and finishes on the user's."""
        return self.name == "tensorrt_rtx"

    def __str__(self) -> str:
        return f"TensorRT{' for RTX' if self.rtx else ''} {self.version}"


def import_tensorrt() -> TensorRt:
    """Import TensorRT, else TensorRT for RTX.

    TensorRT for RTX is either NVIDIA's package `tensorrt_rtx`, or its bindings with the libraries
    that ONNX Runtime's execution provider carries.

    Raises:
        TensorRtMissing: neither can be imported.
    """
    problems: list[str] = []
    for package, name in (
        ("tensorrt", "tensorrt"),
        ("tensorrt_rtx", "tensorrt_rtx"),
        ("tensorrt_rtx_bindings", "tensorrt_rtx"),
    ):
        if importlib.util.find_spec(package) is None:
            continue
        try:
            return _import(package, name)
        except Exception as error:  # each package fails in its own way if its libraries are missing
            line = next(iter(str(error).splitlines()), type(error).__name__)
            problems.append(f"{package} is installed and cannot be imported ({line})")
    raise TensorRtMissing("; ".join(problems) or "TensorRT is not installed")


def _import(package: str, name: str) -> TensorRt:
    if package == "tensorrt_rtx_bindings":
        _preload_rtx()
    api = importlib.import_module(package)
    if not hasattr(api, "Builder"):
        raise ImportError("it holds no builder")
    version = ".".join(str(api.__version__).split(".")[:3])
    if name == "tensorrt" and int(version.split(".")[0]) < _OLDEST_MAJOR:
        raise ImportError(f"version {version} is older than {_OLDEST_MAJOR}")
    return TensorRt(api, name, version)


def _preload_rtx() -> None:
    """Load the libraries by their paths, so that the bindings find them in the process."""
    spec = importlib.util.find_spec(_RTX_LIBRARIES_PACKAGE)
    places = [Path(place) for place in (spec and spec.submodule_search_locations) or ()]
    for library in _RTX_LIBRARIES:
        pattern = f"{library}*.dll" if sys.platform == "win32" else f"lib{library}.so*"
        found = [path for place in places for path in sorted(place.glob(pattern))]
        if not found:
            raise ImportError(f"{pattern} is in none of its packages")
        ctypes.CDLL(str(found[0]), mode=ctypes.RTLD_GLOBAL)
