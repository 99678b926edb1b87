"""What the processor has for int8: 8-bit dot products, or at least wide integer vectors."""

from __future__ import annotations

import importlib
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")
_LINUX_FLAGS = {"amx_int8": "AMX", "avx512_vnni": "VNNI", "avx_vnni": "VNNI", "avx2": "AVX2"}
_NUMPY_NAMES = {"AVX512VNNI": "VNNI", "AVX2": "AVX2"}


def int8_instructions() -> str:
    """Return the name of what the processor computes int8 with, or an empty string.

    AVX2 has no 8-bit dot products and adds pairs of products in 16 bits, which saturate where weights
    have 8 bits; those of our files have 7 (`trainer/export/quantize.py`), and both engines agree with exact
    arithmetic on them.
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
    """NumPy's own detection serves systems without /proc; its place is not a public one."""
    try:
        module = importlib.import_module("numpy._core._multiarray_umath")
    except ImportError:
        return {}
    return getattr(module, "__cpu_features__", {})
