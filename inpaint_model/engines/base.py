"""The interface of an engine: it says whether it can run here, and loads a generator."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inpaint_model.artefacts import Generator


@dataclass(frozen=True)
class EngineStatus:
    """Whether an engine works on this machine.

    Attributes:
        name: the engine.
        usable: whether it can run here.
        version: version of its library; empty if there is none.
        detail: if usable, the hardware and precisions it uses; else why it cannot run.
        accelerated: whether it runs on a GPU.
        mend: the command or action that makes it usable; empty if there is none.
    """

    name: str
    usable: bool
    version: str
    detail: str
    accelerated: bool = False
    mend: str = ""

    @property
    def refusal(self) -> str:
        """Why it cannot run and what mends that, in one line."""
        why = f"{self.detail}; {self.mend}" if self.mend else self.detail
        return f"engine {self.name} cannot run: {why}"


@dataclass(frozen=True)
class SessionInfo:
    """What was loaded.

    Attributes:
        engine: the engine's name.
        version: version of its library.
        precision: the arithmetic of most of the network: "int8", "bf16", "fp16" or "fp32".
        precision_reason: why this precision.
        model_sha256: SHA-256 of the model file, in hex.
        warnings: problems that cost time and stop nothing, one line each.
    """

    engine: str
    version: str
    precision: str
    precision_reason: str
    model_sha256: str
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.engine} {self.version}, {self.precision} ({self.precision_reason})"


class Session(ABC):
    """A generator loaded by an engine. Only one thread at a time may call it."""

    info: SessionInfo

    @abstractmethod
    def run(self, crops: NDArray[np.uint8], holes: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Fill holes.

        Args:
            crops: uint8 [N, 128, 128, 3], RGB, N >= 1, C-contiguous, perhaps read-only.
            holes: uint8 [N, 128, 128], nonzero where to fill, C-contiguous, perhaps read-only.

        Returns:
            uint8 [N, 128, 128, 3], the caller's own, equal to `crops` outside the holes.
        """

    def close(self) -> None:
        """Free what the session holds; it cannot run after that."""
        vars(self).clear()


class Engine(ABC):
    """A way of running a generator. Creating one loads nothing; its library is imported on use."""

    name: str

    @abstractmethod
    def probe(self) -> EngineStatus:
        """Say whether this engine can run here. Never raises."""

    @abstractmethod
    def load(self, generator: Generator, threads: int | None) -> Session:
        """Load a generator.

        Args:
            generator: the model; the engine opens the file that it runs best.
            threads: number of CPU threads; the engine decides if None.

        Raises:
            UserError: this model cannot run on this engine.
        """
