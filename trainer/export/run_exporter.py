"""Exports a run's network into its folder at the end of its time; tried out before the training."""

from __future__ import annotations

import copy
import time
from abc import ABC, abstractmethod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from inpaint_model.errors import UserError
from trainer.export.image_network_export import export_image_network
from trainer.export.refill import refill, write_template


class RunExporter(ABC):
    """Writes `NAME.onnx` into a run's folder.

    Args:
        run: the folder.
        name: of the network.

    Attributes:
        seconds: seconds that the last export took.
    """

    def __init__(self, run: Path, name: str) -> None:
        self._run, self._name = run, name
        self.seconds = 0.0

    def try_out(self, net: nn.Module) -> None:
        """Export the network as `write` will and remove the file: an exporter that fails, fails now.

        Raises:
            UserError: this machine cannot export.
        """
        trial = self._run / "trial.onnx"
        try:
            import onnxruntime  # noqa: F401  # the import is not part of the seconds

            self._prepare(net)
            self._timed(net, trial)
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
        return f"{path}: {self._timed(net, path)}"

    def _timed(self, net: nn.Module, path: Path) -> str:
        began = time.perf_counter()
        line = self._export(copy.deepcopy(net).cpu(), path)
        self.seconds = time.perf_counter() - began
        return line

    def _prepare(self, net: nn.Module) -> None:  # noqa: B027  # most exporters need nothing
        """Do before the training what need not be done at its end."""

    @abstractmethod
    def _export(self, net: nn.Module, path: Path) -> str:
        """Write a network on the CPU to a file; say how far it differs from the network."""


class GeneratorExporter(RunExporter):
    """Writes a generator in fp16, from a template made before the training.

    Args:
        run: the folder.
        name: "fast", "paper" or "glcic".
        crops: uint8 [N, 128, 128, 3], a few real crops to compare file and network on.
        holes: bool [N, 128, 128].
    """

    def __init__(
        self, run: Path, name: str, crops: NDArray[np.uint8], holes: NDArray[np.bool_]
    ) -> None:
        super().__init__(run, name)
        self._samples = crops, holes
        self._template = run / "template.onnx"

    def write(self, net: nn.Module) -> str:
        """See `RunExporter`; the template is removed."""
        line = super().write(net)
        self._template.unlink()
        return line

    def _prepare(self, net: nn.Module) -> None:
        if not self._template.is_file():
            write_template(net, self._template)

    def _export(self, net: nn.Module, path: Path) -> str:
        parity = refill(self._template, net, path, *self._samples)
        return f"fp16, differs from the network by {parity.largest}/255 at most"


class ImageNetworkExporter(RunExporter):
    """Writes a face aligner or a refiner in fp32.

    Args:
        run: the folder.
        name: of the file, without its suffix.
        images: [N, S, S, C], a few real images to compare file and network on.
    """

    def __init__(self, run: Path, name: str, images: NDArray[np.floating]) -> None:
        super().__init__(run, name)
        self._images = images

    def _export(self, net: nn.Module, path: Path) -> str:
        return export_image_network(net, path, self._images)
