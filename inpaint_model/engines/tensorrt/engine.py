"""TensorRT and TensorRT for RTX on an NVIDIA GPU, with engines built once and kept on disk."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from inpaint_model.artefacts import Generator, GeneratorArtefact
from inpaint_model.cache import CompiledCache
from inpaint_model.engines.base import Engine, EngineStatus, Session, SessionInfo
from inpaint_model.engines.cuda.driver import Gpu, find_gpu
from inpaint_model.engines.cuda.memory import Cuda
from inpaint_model.engines.tensorrt.builder import BATCH_SIZES, architecture_names, build
from inpaint_model.engines.tensorrt.library import MEND, TensorRt, TensorRtMissing, import_tensorrt
from inpaint_model.engines.tensorrt.session import TensorRtSession
from inpaint_model.errors import UserError

_log = logging.getLogger(__name__)


class TensorRtEngine(Engine):
    """Builds an engine for the GPU that is here when it is first needed, and keeps it."""

    name = "tensorrt"

    def probe(self) -> EngineStatus:
        """Ask the driver for a GPU, then import TensorRT."""
        state = find_gpu()
        if state.gpu is None:
            return EngineStatus(self.name, False, "", state.problem, mend=state.mend)
        try:
            importlib.import_module("cuda.bindings.runtime")
            library = import_tensorrt()
        except TensorRtMissing as error:
            return EngineStatus(self.name, False, "", f"{state.gpu}: {error.why}", mend=MEND)
        except ImportError as error:
            why = f"{state.gpu}: {error}"
            return EngineStatus(self.name, False, "", why, mend="pip install cuda-bindings")
        detail = f"{library} on {state.gpu}"
        return EngineStatus(self.name, True, library.version, detail, accelerated=True)

    def load(self, generator: Generator, threads: int | None) -> Session:
        """Load the engine from the cache, or build it first; the log shows the progress."""
        library, gpu = import_tensorrt(), find_gpu().gpu
        if gpu is None:
            raise UserError(f"engine {self.name} cannot run: no NVIDIA GPU")
        file = generator.open()
        cache = CompiledCache(self.name)
        runtime = library.api.Runtime(library.api.Logger(library.api.Logger.ERROR))
        key = engine_cache_key(library, file, _device(library, gpu))
        plan = cache.load(key)
        engine = runtime.deserialize_cuda_engine(plan) if plan else None
        if plan and engine is None:
            cache.discard(key, f"was refused by {library}")
        if engine is None:
            plan = _build_and_keep(library, file, key, cache, _target_architectures(library, gpu))
            engine = runtime.deserialize_cuda_engine(plan)
        if engine is None:
            raise UserError(f"{library} does not run the engine it built for {gpu}")
        session = self._session(library, engine, gpu, key, cache)
        session.keep_alive = runtime
        return session

    def build_ahead(self, generator: Generator, architectures: Sequence[str] = ()) -> list[Path]:
        """Build and keep engines for the GPU that is here or for others, and return their files.

        Args:
            generator: the model.
            architectures: of the GPUs to build for, such as "sm_86"; only TensorRT for RTX can do
                that, and needs no GPU for it.

        Raises:
            UserError: TensorRT is missing, or does not build for such a GPU.
        """
        try:
            library = import_tensorrt()
        except TensorRtMissing as error:
            raise UserError(f"engine {self.name} cannot build: {error}") from None
        file, cache = generator.open(), CompiledCache(self.name)
        if architectures:
            devices = {name: (name,) for name in architectures}
        else:
            state = find_gpu()
            if state.gpu is None:
                mend = "name a card with --for sm_86" if library.rtx else "build where the GPU is"
                raise UserError(f"engine {self.name} cannot build: {state.problem}; {mend}")
            devices = {_device(library, state.gpu): _target_architectures(library, state.gpu)}
        paths = []
        for device, chosen in devices.items():
            key = engine_cache_key(library, file, device)
            if cache.load(key) is None:
                _build_and_keep(library, file, key, cache, chosen)
            paths.append(cache.path(key))
            if not paths[-1].is_file():
                raise UserError(cache.warnings[-1])
        return paths

    def _session(
        self,
        library: TensorRt,
        engine: Any,
        gpu: Gpu,
        key: dict[str, str],
        cache: CompiledCache,
    ) -> TensorRtSession:
        device = Cuda()
        kernels = _KernelCache(library, engine, gpu, cache)
        info = SessionInfo(
            self.name,
            library.version,
            key["precision"],
            f"{library} on {gpu}",
            key["model_sha256"],
        )
        try:
            session = TensorRtSession(engine, BATCH_SIZES, device, info, kernels.make_context)
        except BaseException:
            device.close()
            raise
        kernels.keep()
        problems = (session.graph_problem,) if session.graph_problem else ()
        session.info = replace(info, warnings=(*cache.warnings, *problems))
        return session


class _KernelCache:
    """Keeps the kernels that TensorRT for RTX compiles on the user's GPU; TensorRT has none."""

    def __init__(self, library: TensorRt, engine: Any, gpu: Gpu, cache: CompiledCache) -> None:
        self._engine, self._cache = engine, cache
        self._name = f"kernels-{library.version}-{gpu.name}-{gpu.driver}".replace(" ", "_")
        self._config = self._kernels = None
        self._before = b""
        if library.rtx and hasattr(engine, "create_runtime_config"):
            self._config = engine.create_runtime_config()
            self._kernels = self._config.create_runtime_cache()
            self._before = cache.load_side_file(self._name)
            if self._before:
                self._kernels.deserialize(self._before)
            self._config.set_runtime_cache(self._kernels)
            # Eager: else the CUDA graphs would capture general kernels, before the ones
            # specialised for these batch sizes are compiled.
            strategies = library.api.DynamicShapesKernelSpecializationStrategy
            self._config.dynamic_shapes_kernel_specialization_strategy = strategies.EAGER

    def make_context(self) -> Any:
        """Create an execution context that takes its kernels from this cache."""
        if self._config is None:
            return self._engine.create_execution_context()
        return self._engine.create_execution_context(self._config)

    def keep(self) -> None:
        """Write the kernels to disk if new ones were compiled."""
        if self._kernels is not None:
            now = bytes(self._kernels.serialize())
            if now != self._before:
                self._cache.store_side_file(self._name, now)


def engine_cache_key(library: TensorRt, file: GeneratorArtefact, device: str) -> dict[str, str]:
    """Name everything that an engine depends on."""
    return {
        "model": file.path.stem,
        "model_sha256": file.sha256,
        "library": str(library),
        "device": device,
        "precision": file.precision,
        "shapes": ", ".join(str(batch) for batch in BATCH_SIZES),
    }


def _device(library: TensorRt, gpu: Gpu) -> str:
    """Name what an engine is bound to: the GPU for TensorRT, its architecture for TensorRT for RTX."""
    return gpu.architecture if library.rtx else f"{gpu.name}, {gpu.architecture}"


def _target_architectures(library: TensorRt, gpu: Gpu) -> tuple[str, ...]:
    """Name the architecture to build for; nothing if the library takes the GPU that is here."""
    return (gpu.architecture,) if gpu.architecture in architecture_names(library) else ()


def _build_and_keep(
    library: TensorRt,
    file: GeneratorArtefact,
    key: dict[str, str],
    cache: CompiledCache,
    architectures: Sequence[str],
) -> bytes:
    changed, before_s = cache.describe_changes(key), cache.last_build_s(key)
    usual = "about a second" if library.rtx else "once; it can take minutes"
    usual = f"it took {before_s:.0f} s before" if before_s else usual
    why = f" again ({changed})" if changed else ""
    _log.info("building the %s engine of %s for %s%s: %s",
              library, key["model"], key["device"], why, usual)  # fmt: skip
    timing_name = f"timing-{library.name}-{library.version}-{key['device']}".replace(" ", "_")
    done = build(
        library,
        file.path.read_bytes(),
        architectures=architectures,
        timing_cache=cache.load_side_file(timing_name),
    )
    _log.info("built in %.1f s, %.1f MB", done.build_s, len(done.plan) / 1e6)
    cache.store(key, done.plan, done.build_s)
    if done.timing_cache:
        cache.store_side_file(timing_name, done.timing_cache)
    return done.plan
