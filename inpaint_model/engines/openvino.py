"""OpenVINO on the CPU, in the best precision the processor has, from compiled models kept on disk.

OpenVINO's own cache (`CACHE_DIR`) is not used: it needs the model file to be read and hashed first,
which makes a start a third slower, and its entries do not tell `unmask engine list` what they are.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inpaint_model.artefacts import Generator, GeneratorArtefact
from inpaint_model.cache import CompiledCache
from inpaint_model.engines.base import Engine, EngineStatus, Session, SessionInfo
from inpaint_model.engines.cpu import int8_instructions
from inpaint_model.model_files import WEIGHTS_DIR, Artefact

if TYPE_CHECKING:
    import openvino

_DEVICE = "CPU"
_CONVERTER = "openvino.tools.ovc"
_READ = """
import sys
sys.path.insert(0, sys.argv[1])
from inpaint_model.engines.openvino import shared_core
shared_core().read_model(sys.argv[2])
"""


class OpenVinoEngine(Engine):
    """Runs crops one by one: on a CPU a batch of these networks is no faster."""

    name = "openvino"

    def probe(self) -> EngineStatus:
        """Import OpenVINO and ask it for the CPU."""
        try:
            version, bf16 = _version(), _has_bf16(shared_core())
        except ImportError as error:
            return EngineStatus(self.name, False, "", str(error), mend="pip install openvino")
        except Exception as error:
            why = f"finds no CPU device: {error}".split("\n")[0]
            return EngineStatus(self.name, False, "", why)
        int8 = int8_instructions()
        kinds = ([f"int8 ({int8})"] if int8 else []) + (["bf16"] if bf16 else []) + ["fp32"]
        return EngineStatus(self.name, True, version, f"CPU: {', '.join(kinds)}")

    def load(self, generator: Generator, threads: int | None) -> Session:
        """Load from the cache, or compile and keep the result."""
        core = shared_core()
        int8 = int8_instructions()
        file = generator.open(int8=bool(int8))
        precision, why = _choose_precision(file, int8, _has_bf16(core))
        kept = CompiledCache(self.name)
        properties = cpu_properties(precision, threads)
        compiled = compile_or_load(
            core, file, lambda: _read_generator(core, file), properties, kept
        )
        info = SessionInfo(self.name, _version(), precision, why, file.sha256)
        return OpenVinoSession(compiled, replace(info, warnings=tuple(kept.warnings)))


class OpenVinoSession(Session):
    """A compiled network of one crop, with its input and output memory."""

    def __init__(self, compiled: openvino.CompiledModel, info: SessionInfo) -> None:
        self.info = info
        self._request = compiled.create_infer_request()
        self._crop: NDArray[np.uint8] = self._request.get_tensor("crops").data
        self._hole: NDArray[np.uint8] = self._request.get_tensor("holes").data

    def run(self, crops: NDArray[np.uint8], holes: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Fill holes; see `Session.run`."""
        filled = np.empty_like(crops)
        for index in range(len(crops)):
            self._crop[0] = crops[index]
            self._hole[0] = holes[index]
            self._request.infer()
            filled[index] = self._request.get_output_tensor(0).data[0]
        return filled


@cache
def shared_core() -> openvino.Core:
    """Return the one OpenVINO Core of this process.

    Each Core's CPU plugin gives its thread another stack for signals, and the former one back when it goes.
    A Core that goes out of turn leaves a stack that is no more, and the next signal ends the process.
    """
    return _import_openvino().Core()


def _import_openvino() -> ModuleType:
    """Import OpenVINO without its model converter, which takes half of the time and is not used here.

    OpenVINO itself does without it where it is not installed. Others in this process can still convert:
    `openvino.convert_model` imports it when it is called.
    """
    if "openvino" in sys.modules:
        import openvino

        return openvino
    sys.modules[_CONVERTER] = None  # pyright: ignore[reportArgumentType]
    try:
        import openvino
    finally:
        del sys.modules[_CONVERTER]
    openvino.convert_model = _convert_model
    return openvino


def _convert_model(*arguments: Any, **options: Any) -> openvino.Model:
    """Do what `openvino.convert_model` does."""
    return import_module(_CONVERTER).convert_model(*arguments, **options)


def _version() -> str:
    return _import_openvino().__version__.split("-")[0]


def _has_bf16(core: openvino.Core) -> bool:
    return "BF16" in core.get_property(_DEVICE, "OPTIMIZATION_CAPABILITIES")


def _choose_precision(file: GeneratorArtefact, int8: str, bf16: bool) -> tuple[str, str]:
    """Return the precision and why; bf16 takes half the time of fp32, and int8 half that of bf16."""
    if file.quantised:
        return "int8", f"the CPU has {int8}" if int8 else "the given file is quantised"
    if bf16:
        return "bf16", "the CPU has bf16 arithmetic"
    why = "no int8 version of the model" if int8 else "the CPU has no AVX2, VNNI, AMX or bf16"
    return "fp32", why


def cpu_properties(precision: str, threads: int | None) -> dict[str, Any]:
    """Return OpenVINO's properties of a compiled model."""
    properties: dict[str, Any] = {
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
        "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",
        # Other threads of the program share these cores: the system places the engine's threads.
        "ENABLE_CPU_PINNING": False,
    }
    if threads is not None:
        properties["INFERENCE_NUM_THREADS"] = threads
    return properties


def _read_generator(core: openvino.Core, file: GeneratorArtefact) -> openvino.Model:
    if file.path.parent != WEIGHTS_DIR:
        _read_elsewhere(file.path)
    network = core.read_model(file.path)
    network.reshape({"crops": [1, 128, 128, 3], "holes": [1, 128, 128]})
    return network


def _read_elsewhere(path: Path) -> None:
    """Read a model in another process: a damaged one may crash OpenVINO's reader, and the process with it.

    Raises:
        RuntimeError: it did.
    """
    command = [sys.executable, "-c", _READ, str(Path(__file__).parents[2]), str(path)]
    done = subprocess.run(command, capture_output=True, env={**os.environ, "PYTHONSAFEPATH": "1"})
    if done.returncode < 0 or done.returncode > 2:  # on Windows a crash is a large number
        raise RuntimeError("the file is damaged: OpenVINO crashed when it read it")


def compile_or_load(
    core: openvino.Core,
    file: Artefact,
    read: Callable[[], openvino.Model],
    properties: dict[str, Any],
    cache: CompiledCache,
) -> openvino.CompiledModel:
    """Load a compiled model from the cache, or compile it and keep the result.

    Args:
        core: OpenVINO.
        file: the network's name and the SHA-256 of its file.
        read: reads the network.
        properties: OpenVINO's properties of a compiled model.
        cache: where compiled models are kept.
    """
    key = _cache_key(core, file, properties)
    kept = cache.load(key)
    if kept is not None:
        try:
            return core.import_model(kept, _DEVICE, properties)
        except RuntimeError:
            cache.discard(key, "was refused by OpenVINO")
    began = time.monotonic()
    compiled = core.compile_model(read(), _DEVICE, properties)
    cache.store(key, compiled.export_model().getvalue(), time.monotonic() - began)
    return compiled


def _cache_key(core: openvino.Core, file: Artefact, properties: dict[str, Any]) -> dict[str, str]:
    """Name everything that a compiled model depends on."""
    abilities = ", ".join(sorted(core.get_property(_DEVICE, "OPTIMIZATION_CAPABILITIES")))
    return {
        "model": file.path.stem,
        "model_sha256": file.sha256,
        "library": f"OpenVINO {_import_openvino().__version__}",
        "device": f"{core.get_property(_DEVICE, 'FULL_DEVICE_NAME')} ({abilities})",
        "settings": ", ".join(f"{name}={value}" for name, value in sorted(properties.items())),
    }
