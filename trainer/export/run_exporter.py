"""Exports a run's generator into its folder at the end of its time; tried out before the training."""

from __future__ import annotations

import copy
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from inpaint_model.errors import UserError
from trainer.export.refill import refill, write_template


class RunExporter:
    """Writes `NAME.onnx`, fp16, into a run's folder.

    Args:
        run: the folder.
        name: "fast", "paper" or "glcic".
        crops: uint8 [N, 128, 128, 3], a few real crops to compare file and network on.
        holes: bool [N, 128, 128].

    Attributes:
        seconds: seconds that the last export took.
    """

    def __init__(
        self, run: Path, name: str, crops: NDArray[np.uint8], holes: NDArray[np.bool_]
    ) -> None:
        self._run, self._name, self._samples = run, name, (crops, holes)
        self._template = run / "template.onnx"
        self.seconds = 0.0

    def try_out(self, net: nn.Module) -> None:
        """Export the network as `write` will and remove the file: an exporter that fails, fails now.

        Raises:
            UserError: this machine cannot export.
        """
        trial = self._run / "trial.onnx"
        try:
            import onnxruntime  # noqa: F401  # the import is not part of the seconds

            if not self._template.is_file():
                write_template(net, self._template)
            self._write(net, trial)
        except Exception as error:  # torch, onnx and ONNX Runtime have many of their own
            line = str(error).strip().partition("\n")[0]
            raise UserError(f"this machine cannot export the network: {line}") from error
        finally:
            trial.unlink(missing_ok=True)

    def write(self, net: nn.Module) -> str:
        """Write the file; return a line for the log.

        Raises:
            RuntimeError: the file differs from the network.
        """
        path = self._run / f"{self._name}.onnx"
        line = self._write(net, path)
        self._template.unlink()
        return f"{path}: {line}"

    def _write(self, net: nn.Module, path: Path) -> str:
        began = time.perf_counter()
        parity = refill(self._template, copy.deepcopy(net).cpu(), path, *self._samples)
        self.seconds = time.perf_counter() - began
        return f"fp16, differs from the network by {parity.largest}/255 at most"
