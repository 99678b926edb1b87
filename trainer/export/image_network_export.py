"""Exports the networks that see one image, face aligner and refiner, as ONNX, and checks their parity."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from inpaint_model.networks.face_aligner import SIDE_PX, FaceAlignerNet
from inpaint_model.networks.layers import fuse_batch_norms
from inpaint_model.networks.refiner import RefinerNet
from trainer.augment.refiner_samples import draw_refiner_batch
from trainer.data.face_set import FaceSet


class Interface(NamedTuple):
    """How a network's file is named, and its input and output.

    Attributes:
        stem: name of the exported file, without its suffix.
        given, got: names of input and output.
        tolerance: largest difference of any value between the file on ONNX Runtime and torch.
    """

    stem: str
    given: str
    got: str
    tolerance: float


INTERFACES: dict[type[nn.Module], Interface] = {
    FaceAlignerNet: Interface("face_aligner", "squares", "aligned", 1e-3),
    RefinerNet: Interface("refiner", "patches", "detail", 0.02),  # in levels
}


def export_image_network(net: nn.Module, out: Path, images: NDArray[np.floating]) -> str:
    """Export a network and compare the file with the trained network.

    The file takes one image, float32 [1, S, S, C], and gives float32; both are those of the network's
    `forward`. Batch norms are folded into the convolutions.

    Args:
        net: a trained face aligner or refiner; not changed.
        out: the `.onnx` to write.
        images: [N, S, S, C], real images to compare on.

    Returns:
        A line on the difference of the file on ONNX Runtime from torch.

    Raises:
        RuntimeError: the file differs from the network.
    """
    names = INTERFACES[type(net)]
    net = copy.deepcopy(net).cpu().eval().float()
    net = net.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    folded = copy.deepcopy(net)
    fuse_batch_norms(folded)
    part = out.with_name(out.name + ".part")
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        program = torch.onnx.export(
            folded,
            (torch.zeros(1, *images.shape[1:]),),
            input_names=[names.given],
            output_names=[names.got],
            opset_version=18,
            dynamo=True,
            verbose=False,
        )
        assert program is not None
        program.save(part)
        largest = _difference(part, net, images.astype(np.float32))
        if largest > names.tolerance:
            raise RuntimeError(f"{out.name}: exported and trained network differ by {largest:.2g}")
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    return f"fp32, differs from the network by {largest:.1g} at most"


def images_of(net: nn.Module, faces: FaceSet) -> NDArray[np.float32]:
    """Show faces, of the scale that a face aligner or refiner needs, as the network takes them."""
    if isinstance(net, FaceAlignerNet):
        return squares_of(faces.crops)
    return draw_refiner_batch(faces, range(len(faces)), np.random.default_rng(0)).patches


def squares_of(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Scale canonical crops, uint8 [N, 128, 128, 3], down to squares, [N, 64, 64, 3], 0..255."""
    size = SIDE_PX, SIDE_PX
    squares = [cv2.resize(crop, size, interpolation=cv2.INTER_AREA) for crop in crops]
    return np.stack(squares).astype(np.float32)


def _difference(onnx_file: Path, net: nn.Module, images: NDArray[np.float32]) -> float:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(onnx_file), providers=["CPUExecutionProvider"])
    (given,) = (each.name for each in session.get_inputs())
    exported = [np.asarray(session.run(None, {given: image[None]})[0]) for image in images]
    with torch.no_grad():
        trained = net(torch.from_numpy(images)).numpy()
    return float(np.abs(np.concatenate(exported) - trained).max())
