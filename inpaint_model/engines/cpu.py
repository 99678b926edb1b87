"""What the processor can do for int8: 8-bit dot products, or at least wide integer vectors."""

from __future__ import annotations

import importlib
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")
_LINUX_FLAGS = {"amx_int8": "AMX", "avx512_vnni": "VNNI", "avx_vnni": "VNNI"}


def int8_instructions() -> str:
    """Return the name of the processor's 8-bit dot-product instructions, or an empty string.

    Without them x86 code adds pairs of products in 16 bits, which may saturate: ONNX Runtime's
    documentation warns of it.
    """
    flags = _linux_flags()
    for flag, name in _LINUX_FLAGS.items():
        if flag in flags:
            return name
    return "VNNI" if _numpy_features().get("AVX512VNNI") else ""


def int8_vectors() -> str:
    """Return what OpenVINO runs int8 with: dot products, else AVX2, else an empty string.

    Measured on AVX2 alone: it agrees with exact arithmetic, in half the time of fp32.
    """
    has_avx2 = "avx2" in _linux_flags() or _numpy_features().get("AVX2")
    return int8_instructions() or ("AVX2" if has_avx2 else "")


def _linux_flags() -> set[str]:
    try:
        lines = _CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return set()
    return next((set(line.split()[2:]) for line in lines if line.startswith("flags")), set())


def _numpy_features() -> dict[str, bool]:
    """NumPy's own detection serves systems without /proc; its place is not a public one."""
    try:
        module = importlib.import_module("numpy._core._multiarray_umath")
    except ImportError:
        return {}
    return getattr(module, "__cpu_features__", {})
