"""Finds the processor's instructions for int8: 8-bit dot products, or at least wide integer vectors."""

from __future__ import annotations

import importlib
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")
# Linux's flags and NumPy's names of the instructions, the fastest first, and what we call them.
_LINUX_FLAGS = {"amx_int8": "AMX", "avx512_vnni": "VNNI", "avx_vnni": "VNNI", "avx2": "AVX2"}
_NUMPY_NAMES = {"AVX512VNNI": "VNNI", "AVX2": "AVX2"}


def int8_instructions() -> str:
    """Return the name of the fastest int8 instructions: "AMX", "VNNI" or "AVX2"; empty if none.

    AVX2 has no 8-bit dot products: it adds pairs of products in 16 bits, which saturates with 8-bit
    weights. The weights in our int8 files have 7 bits (`trainer/export/quantize.py`), and with them
    both CPU engines agree with exact arithmetic.
    """
    flags, features = _linux_flags(), _numpy_features()
    named = [name for flag, name in _LINUX_FLAGS.items() if flag in flags]
    named += [name for feature, name in _NUMPY_NAMES.items() if features.get(feature)]
    return named[0] if named else ""


def _linux_flags() -> set[str]:
    try:
        lines = _CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return set()
    return next((set(line.split()[2:]) for line in lines if line.startswith("flags")), set())


def _numpy_features() -> dict[str, bool]:
    """Return what NumPy detected, for systems without /proc; the module is not a public one."""
    try:
        module = importlib.import_module("numpy._core._multiarray_umath")
    except ImportError:
        return {}
    return getattr(module, "__cpu_features__", {})
