"""Embeddings of aligned crops by a user's own recogniser, an ArcFace-style ONNX file, run by OpenVINO."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inpaint_model.engines.openvino import cpu_properties, shared_core
from inpaint_model.errors import ClosedError, UserError
from inpaint_model.model_files import read_model
from realtime.feed.aligned_crop import ALIGNED_SIDE

if TYPE_CHECKING:
    import openvino

PERIOCULAR_ROWS = 58
"""Rows of the aligned crop that show the eyes and what is above them; the eyes are in row 52."""
_NEUTRAL = 127  # grey level of the rest
_ONE_CROP = [1, 3, ALIGNED_SIDE, ALIGNED_SIDE]
_ANY_NUMBER = [-1, *_ONE_CROP[1:]]
_MIDDLE, _HALF_RANGE = np.float32(127.5), np.float32(127.5)  # levels; insightface's normalisation
_LEAST_LENGTH = 1e-12  # of an embedding that is divided by its length


class Embedder:
    """A recogniser that turns aligned crops into embeddings. One thread at a time may call it.

    Pixels are normalised as insightface does it: (level - 127.5) / 127.5, unless the network itself begins
    with a subtraction and a multiplication (`ArcFaceONNX`, insightface's `model_zoo/arcface_onnx.py`).

    Args:
        path: an ONNX file with one input, float32 [N, 3, 112, 112], RGB, and one output [N, D].
        threads: CPU threads; where not given, OpenVINO decides.

    Attributes:
        sha256: of the file, in hex.
        size: numbers in an embedding, D.

    Raises:
        UserError: the file cannot be read, or is no such network.
    """

    def __init__(self, path: Path, *, threads: int | None = None) -> None:
        self.sha256 = hashlib.sha256(read_model(path)).hexdigest()
        core = shared_core()
        try:
            network = core.read_model(path)
        except RuntimeError:
            raise UserError(f"{path}: is no ONNX file that OpenVINO can read") from None
        self.size = _check(path, network)
        self._takes_levels = _normalises_itself(network)
        compiled = core.compile_model(network, "CPU", cpu_properties("fp32", threads))
        self._request: openvino.InferRequest | None = compiled.create_infer_request()

    def __call__(self, crops_rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the embeddings of crops as `aligned_crop` gives them.

        Args:
            crops_rgb: uint8 [N, 112, 112, 3], RGB.

        Returns:
            float32 [N, D], each of length 1.

        Raises:
            ClosedError: the embedder is closed.
        """
        request = self._request
        if request is None:
            raise ClosedError("the embedder is closed; open another one")
        embeddings = np.empty((len(crops_rgb), self.size), np.float32)
        for crop, embedding in zip(crops_rgb, embeddings, strict=True):
            levels = crop.transpose(2, 0, 1).astype(np.float32)
            normalised = levels if self._takes_levels else (levels - _MIDDLE) / _HALF_RANGE
            request.get_input_tensor(0).data[0] = normalised
            request.infer()
            embedding[:] = request.get_output_tensor(0).data[0]
        lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
        return embeddings / np.maximum(lengths, _LEAST_LENGTH)

    def close(self) -> None:
        """Free the network: OpenVINO's threads must end before the interpreter does."""
        self._request = None


def periocular(crops_rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Keep the region round the eyes alone and make the rest grey: hardly any fill reaches it.

    Args:
        crops_rgb: uint8 [..., 112, 112, 3], RGB, aligned.

    Returns:
        A copy of the same shape.
    """
    kept = crops_rgb.copy()
    kept[..., PERIOCULAR_ROWS:, :, :] = _NEUTRAL
    return kept


def _check(path: Path, network: openvino.Model) -> int:
    """Make the input one crop; return the size of an embedding."""
    inputs, outputs = network.inputs, network.outputs
    if len(inputs) != 1 or len(outputs) != 1:
        counts = f"{len(inputs)} and {len(outputs)}"
        raise UserError(f"{path}: a recogniser has one input and one output, not {counts}")
    import openvino

    given = inputs[0].get_partial_shape()
    kind = inputs[0].get_element_type().get_type_name()
    if kind != "f32" or not given.compatible(openvino.PartialShape(_ANY_NUMBER)):
        raise UserError(f"{path}: its input is {kind} {given}, not f32 [N,3,112,112]")
    try:
        network.reshape(_ONE_CROP)
    except RuntimeError:
        raise UserError(f"{path}: takes no single crop of [1,3,112,112]") from None
    shape = outputs[0].get_partial_shape()
    if shape.is_dynamic or len(shape) != 2 or shape[0].get_length() != 1:
        raise UserError(f"{path}: its output for one crop is {shape}, not [1,D]")
    return int(shape[1].get_length())


def _normalises_itself(network: openvino.Model) -> bool:
    """Whether the network subtracts and multiplies before its first convolution."""
    kinds: set[str] = set()
    node = network.inputs[0].get_node()
    while "Convolution" not in kinds:
        consumers = list(node.output(0).get_target_inputs())
        if len(consumers) != 1:
            break
        node = consumers[0].get_node()
        kinds.add(node.get_type_name())
    return {"Subtract", "Multiply"} <= kinds
