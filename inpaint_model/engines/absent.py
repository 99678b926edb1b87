"""Engines whose names are known and which this version cannot run."""

from __future__ import annotations

from inpaint_model.artefacts import Artefact
from inpaint_model.engines.base import Engine, EngineStatus, Session
from inpaint_model.errors import UserError


class _AbsentEngine(Engine):
    def probe(self) -> EngineStatus:
        return EngineStatus(self.name, False, "", "not in this version; take --engine auto")

    def load(self, artefact: Artefact, threads: int | None) -> Session:
        raise UserError(f"engine {self.name} cannot run: {self.probe().detail}")


class TensorRtEngine(_AbsentEngine):
    """NVIDIA TensorRT."""

    name = "tensorrt"


class TorchEngine(_AbsentEngine):
    """PyTorch."""

    name = "torch"
