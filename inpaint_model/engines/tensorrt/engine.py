"""TensorRT and TensorRT for RTX on an NVIDIA GPU, from engines built once and kept on disk."""

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
from inpaint_model.engines.tensorrt.builder import BATCHES, architecture_names, build
from inpaint_model.engines.tensorrt.library import MEND, TensorRt, TensorRtMissing, import_tensorrt
from inpaint_model.engines.tensorrt.session import TensorRtSession
from inpaint_model.errors import UserError

_log = logging.getLogger(__name__)


class TensorRtEngine(Engine):
    """Builds an engine for the GPU that is here on first use, and keeps it."""

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
        """Load the engine from the cache, or build it first; the log says how far it is."""
        library, gpu = import_tensorrt(), find_gpu().gpu
        if gpu is None:
            raise UserError(f"engine {self.name} cannot run: no NVIDIA GPU")
        file = generator.open()
        cache = CompiledCache(self.name)
        runtime = library.api.Runtime(library.api.Logger(library.api.Logger.ERROR))
        facts = engine_facts(library, file, _device(library, gpu))
        plan = cache.load(facts)
        engine = runtime.deserialize_cuda_engine(plan) if plan else None
        if plan and engine is None:
            cache.discard(facts, f"was refused by {library}")
        if engine is None:
            plan = _build_and_keep(library, file, facts, cache, _target(library, gpu))
            engine = runtime.deserialize_cuda_engine(plan)
        if engine is None:
            raise UserError(f"{library} does not run the engine it built for {gpu}")
        session = self._session(library, engine, gpu, facts, cache)
        session.keep_alive = runtime
        return session

    def build_ahead(self, generator: Generator, architectures: Sequence[str] = ()) -> list[Path]:
        """Build and keep engines, for the GPU that is here or for other cards; return their files.

        Args:
            generator: the model.
            architectures: such as "sm_86"; TensorRT for RTX alone can build for them, GPU or not.

        Raises:
            UserError: TensorRT is not there, or does not build for such a GPU.
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
            devices = {_device(library, state.gpu): _target(library, state.gpu)}
        paths = []
        for device, chosen in devices.items():
            facts = engine_facts(library, file, device)
            if cache.load(facts) is None:
                _build_and_keep(library, file, facts, cache, chosen)
            paths.append(cache.path(facts))
            if not paths[-1].is_file():
                raise UserError(cache.warnings[-1])
        return paths

    def _session(
        self,
        library: TensorRt,
        engine: Any,
        gpu: Gpu,
        facts: dict[str, str],
        cache: CompiledCache,
    ) -> TensorRtSession:
        device = Cuda()
        kernels = _KernelCache(library, engine, gpu, cache)
        info = SessionInfo(
            self.name,
            library.version,
            facts["precision"],
            f"{library} on {gpu}",
            facts["model_sha256"],
        )
        try:
            session = TensorRtSession(engine, BATCHES, device, info, kernels.make_context)
        except BaseException:
            device.close()
            raise
        kernels.keep()
        problems = (session.graph_problem,) if session.graph_problem else ()
        session.info = replace(info, warnings=(*cache.warnings, *problems))
        return session


class _KernelCache:
    """Keeps the kernels that TensorRT for RTX compiles on the user's GPU; nothing for TensorRT."""

    def __init__(self, library: TensorRt, engine: Any, gpu: Gpu, cache: CompiledCache) -> None:
        self._engine, self._cache = engine, cache
        self._name = f"kernels-{library.version}-{gpu.name}-{gpu.driver}".replace(" ", "_")
        self._config = self._kernels = None
        self._before = b""
        if library.rtx and hasattr(engine, "create_runtime_config"):
            self._config = engine.create_runtime_config()
            self._kernels = self._config.create_runtime_cache()
            self._before = cache.beside(self._name)
            if self._before:
                self._kernels.deserialize(self._before)
            self._config.set_runtime_cache(self._kernels)
            # Else kernels made for these batch sizes come later, and the graphs hold the others.
            strategies = library.api.DynamicShapesKernelSpecializationStrategy
            self._config.dynamic_shapes_kernel_specialization_strategy = strategies.EAGER

    def make_context(self) -> Any:
        """Make an execution context that takes its kernels from here."""
        if self._config is None:
            return self._engine.create_execution_context()
        return self._engine.create_execution_context(self._config)

    def keep(self) -> None:
        """Write the kernels where new ones were compiled."""
        if self._kernels is not None:
            now = bytes(self._kernels.serialize())
            if now != self._before:
                self._cache.keep_beside(self._name, now)


def engine_facts(library: TensorRt, file: GeneratorArtefact, device: str) -> dict[str, str]:
    """Name everything that an engine depends on."""
    return {
        "model": file.path.stem,
        "model_sha256": file.sha256,
        "library": str(library),
        "device": device,
        "precision": file.precision,
        "shapes": ", ".join(str(batch) for batch in BATCHES),
    }


def _device(library: TensorRt, gpu: Gpu) -> str:
    """Name what an engine is bound to: with TensorRT the card, with TensorRT for RTX its architecture."""
    return gpu.architecture if library.rtx else f"{gpu.name}, {gpu.architecture}"


def _target(library: TensorRt, gpu: Gpu) -> tuple[str, ...]:
    """Name the architecture to build for; nothing where the library takes the GPU that is here."""
    return (gpu.architecture,) if gpu.architecture in architecture_names(library) else ()


def _build_and_keep(
    library: TensorRt,
    file: GeneratorArtefact,
    facts: dict[str, str],
    cache: CompiledCache,
    architectures: Sequence[str],
) -> bytes:
    changed, before = cache.stale(facts), cache.last_seconds(facts)
    usual = "about a second" if library.rtx else "once; it can take minutes"
    usual = f"it took {before:.0f} s before" if before else usual
    why = f" again ({changed})" if changed else ""
    _log.info("building the %s engine of %s for %s%s: %s",
              library, facts["model"], facts["device"], why, usual)  # fmt: skip
    timing_name = f"timing-{library.name}-{library.version}-{facts['device']}".replace(" ", "_")
    done = build(
        library,
        file.path.read_bytes(),
        architectures=architectures,
        timing=cache.beside(timing_name),
    )
    _log.info("built in %.1f s, %.1f MB", done.seconds, len(done.plan) / 1e6)
    cache.store(facts, done.plan, done.seconds)
    if done.timing:
        cache.keep_beside(timing_name, done.timing)
    return done.plan
