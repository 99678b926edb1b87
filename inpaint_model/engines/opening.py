"""Opens a model on an engine: the one named, or for `auto` the fastest that works, and says why."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from inpaint_model.artefacts import Generator
from inpaint_model.engines import ACCELERATED_ORDER, CPU_ORDER, make_engine
from inpaint_model.engines.base import Engine, Session
from inpaint_model.engines.cuda.driver import NvidiaState, find_gpu
from inpaint_model.errors import UserError


def open_session(generator: Generator, engine: str, threads: int | None) -> tuple[Session, str]:
    """Load a model.

    Args:
        generator: the model.
        engine: a name, or "auto".
        threads: number of CPU threads; the engine decides if None.

    Returns:
        The loaded network, and one line: which engine, and why.

    Raises:
        UserError: the named engine cannot run here, or with "auto" none can.
    """
    if engine != "auto":
        session = _load(make_engine(engine), generator, threads)
        return session, f"{session.info}; engine named by the caller"
    state = find_gpu()
    refused: list[str] = []
    engines = [make_engine(name) for name in _accelerated_names(state)]
    session = _load_first(engines, generator, threads, refused, accelerated=True)
    if session is not None:
        why = "; ".join([*refused, "the fastest on this GPU"])
        return session, f"{session.info}; chosen by auto: {why}"
    why_no_gpu = _why_no_gpu(state, refused)
    refused.clear()
    engines = [make_engine(name, cpu_only=True) for name in CPU_ORDER]
    session = _load_first(engines, generator, threads, refused, accelerated=False)
    if session is None:
        raise UserError("no engine works here: " + "; ".join([why_no_gpu, *refused]))
    if state.gpu is not None or state.mend:
        session.info = replace(session.info, warnings=(*session.info.warnings, why_no_gpu))
    why = "; ".join([why_no_gpu, *(refused or ["the fastest on a CPU"])])
    return session, f"{session.info}; chosen by auto: {why}"


def _accelerated_names(state: NvidiaState) -> Sequence[str]:
    """Name the engines to try on an accelerator; none without one, so that nothing is imported."""
    if state.gpu is not None:
        return ACCELERATED_ORDER
    return ("onnxruntime",) if sys.platform == "darwin" else ()


def _why_no_gpu(state: NvidiaState, refused: Sequence[str]) -> str:
    if state.gpu is not None:
        return f"{state.gpu} is not used: {'; '.join(refused)}"
    return "; ".join(filter(None, [state.problem, state.mend, *refused]))


def _load_first(
    engines: Sequence[Engine],
    generator: Generator,
    threads: int | None,
    refused: list[str],
    *,
    accelerated: bool,
) -> Session | None:
    """Load on the first engine that can; add to `refused` why the engines before it could not."""
    for engine in engines:
        try:
            return _load(engine, generator, threads, accelerated=accelerated)
        except UserError as error:
            refused.append(str(error))
    return None


def _load(
    engine: Engine, generator: Generator, threads: int | None, *, accelerated: bool = False
) -> Session:
    status = engine.probe()
    if not status.usable or (accelerated and not status.accelerated):
        raise UserError(status.refusal)
    try:
        session = engine.load(generator, threads)
        _warm_up(session)
    except UserError:
        raise
    except Exception as error:  # each library has its own classes; the user needs the first line
        line = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise UserError(f"engine {engine.name} cannot run {generator.path}: {line}") from error
    return session


def _warm_up(session: Session) -> None:
    """Run once, so that the first call is not the slow one, and check the model's contract.

    Raises:
        UserError: known pixels change.
    """
    crops = np.random.default_rng(0).integers(0, 256, (1, 128, 128, 3), dtype=np.uint8)
    holes = np.zeros((1, 128, 128), dtype=np.uint8)
    holes[:, 64:, 32:96] = 1
    out = session.run(crops, holes)
    if not np.array_equal(out[holes == 0], crops[holes == 0]):
        raise UserError("the model changes pixels outside the hole; it is not a generator to use")
