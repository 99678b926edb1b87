"""Exports the face aligner as ONNX, one float32 square in and six values out, and checks its parity."""

from __future__ import annotations

import copy
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from inpaint_model.networks.face_aligner import SIDE_PX, FaceAlignerNet
from inpaint_model.networks.layers import fuse_batch_norms

ALIGNER = "face_aligner"
"""Name of the exported file, without its suffix."""

_MAX_DIFFERENCE = 1e-3  # of any value between the file on ONNX Runtime and torch


def export_aligner(net: nn.Module, out: Path, squares: NDArray[np.uint8]) -> str:
    """Export the face aligner and compare the file with the trained network.

    The file's input `squares` is float32 [1, 64, 64, 3], RGB, 0..255; its output `aligned` is float32
    [1, 6], as `FaceAlignerNet` gives it. Batch norms are folded into the convolutions.

    Args:
        net: the trained network; not changed.
        out: the `.onnx` to write.
        squares: uint8 [N, 64, 64, 3], real squares to compare on.

    Returns:
        A line on the difference of the file on ONNX Runtime from torch.

    Raises:
        RuntimeError: the file differs from the network.
    """
    if not isinstance(net, FaceAlignerNet):
        raise TypeError(f"only a FaceAlignerNet can be exported so, not {type(net).__name__}")
    net = copy.deepcopy(net).cpu().eval().float()
    net = net.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    folded = copy.deepcopy(net)
    fuse_batch_norms(folded)
    part = out.with_name(out.name + ".part")
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        program = torch.onnx.export(
            folded,
            (torch.zeros(1, SIDE_PX, SIDE_PX, 3),),
            input_names=["squares"],
            output_names=["aligned"],
            opset_version=18,
            dynamo=True,
            verbose=False,
        )
        assert program is not None
        program.save(part)
        largest = _difference(part, net, squares.astype(np.float32))
        if largest > _MAX_DIFFERENCE:
            raise RuntimeError(f"{out.name}: exported and trained network differ by {largest:.2g}")
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    return f"fp32, differs from the network by {largest:.1g} at most"


def squares_of(crops: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Scale canonical crops, uint8 [N, 128, 128, 3], down to squares, uint8 [N, 64, 64, 3]."""
    size = SIDE_PX, SIDE_PX
    return np.stack([cv2.resize(crop, size, interpolation=cv2.INTER_AREA) for crop in crops])


def _difference(onnx_file: Path, net: nn.Module, squares: NDArray[np.float32]) -> float:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(onnx_file), providers=["CPUExecutionProvider"])
    exported = [
        np.asarray(session.run(["aligned"], {"squares": square[None]})[0]) for square in squares
    ]
    with torch.no_grad():
        trained = net(torch.from_numpy(squares)).numpy()
    return float(np.abs(np.concatenate(exported) - trained).max())
