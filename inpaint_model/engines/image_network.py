"""Runs small networks on one image with OpenVINO: ONNX, TensorFlow Lite, or one inside a MediaPipe task.

MediaPipe's own graphs search whole pictures only. Here the same networks are asked about any part of a
picture, turned by any angle, in a fifth of the time of a graph's call.
"""

from __future__ import annotations

import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inpaint_model.cache import CompiledCache
from inpaint_model.engines.openvino import compile_or_load, cpu_properties, shared_core
from inpaint_model.model_files import Artefact

if TYPE_CHECKING:
    import openvino


class ImageNetwork:
    """A network on one CPU thread, in float32. One thread at a time may call it.

    Args:
        file: an `.onnx` or `.tflite` file, or a `.task` file, which is a zip archive of the latter.
        side_px: side of the network's square input, pixels.
        name: of the network in a `.task` file: its file there without `.tflite`.
        channels: of the input.
    """

    def __init__(
        self, file: Artefact, side_px: int, name: str | None = None, channels: int = 3
    ) -> None:
        core = shared_core()
        network = (
            file if name is None else replace(file, path=file.path.with_name(f"{name}.tflite"))
        )
        compiled = compile_or_load(
            core,
            network,
            lambda: _read(core, file.path, name, (side_px, side_px, channels)),
            cpu_properties("fp32", 1),
            CompiledCache("openvino"),
        )
        self._request: openvino.InferRequest | None = compiled.create_infer_request()
        self._outputs = len(compiled.outputs)

    def __call__(self, image: NDArray[np.floating]) -> list[NDArray[np.float32]]:
        """Run the network on an image, float [side, side, channels], RGB, in the range that it expects.

        Returns:
            Its outputs.
        """
        request = self._request
        assert request is not None, "the network is closed"
        request.get_input_tensor(0).data[0] = image
        request.infer()
        return [request.get_output_tensor(n).data.copy() for n in range(self._outputs)]

    def close(self) -> None:
        """Free the network: OpenVINO's threads must end before the interpreter does."""
        self._request = None


def _read(
    core: openvino.Core, path: Path, name: str | None, shape: tuple[int, int, int]
) -> openvino.Model:
    """Read a network, out of an archive by way of a file: OpenVINO reads `.tflite` from files only."""
    if name is None:
        network = core.read_model(path)
    else:
        with zipfile.ZipFile(path) as bundle, tempfile.TemporaryDirectory() as scratch:
            network = core.read_model(bundle.extract(f"{name}.tflite", scratch))
    network.reshape([1, *shape])
    return network
