"""Exports a generator as ONNX, uint8 in and uint8 out, and checks its parity with the network."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from inpaint_model.networks.byte_generator import ByteGenerator
from inpaint_model.networks.layers import half_convolutions
from realtime.align.canonical_crop import CROP_SIZE
from trainer.evaluate.fill_crops import fill

# Largest difference inside the hole between torch in fp32 and the file on ONNX Runtime, levels of 255.
MAX_DIFFERENCE = {"fp32": 1, "fp16": 2}


@dataclass(frozen=True)
class Parity:
    """Difference of an exported network from the trained one inside the holes, in levels of 255."""

    largest: int
    mean: float

    def check(self, what: str, precision: str) -> None:
        """Raise `RuntimeError` if the difference is too large."""
        if self.largest > MAX_DIFFERENCE[precision]:
            raise RuntimeError(f"{what}: exported and trained network differ by {self.largest}/255")


def export_generator(
    net: nn.Module,
    out: Path,
    crops: NDArray[np.uint8],
    holes: NDArray[np.bool_],
    *,
    half: bool = False,
) -> Parity:
    """Export a generator as ONNX and compare it with the trained network.

    Args:
        net: the trained network, float in and out.
        out: the `.onnx` to write.
        crops: uint8 [N, 128, 128, 3], real crops to compare on.
        holes: bool [N, 128, 128].
        half: weights and convolutions in fp16.

    Returns:
        The difference of the file on ONNX Runtime from torch in fp32.

    Raises:
        RuntimeError: the file differs from the network, or changes pixels outside the hole.
    """
    net = net.eval().float().to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    precision, exported = "fp32", net
    if half:
        precision, exported = "fp16", copy.deepcopy(net)
        half_convolutions(exported)
    part = out.with_name(out.name + ".part")
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        write_onnx(exported, part, precision)
        parity = compare(part, net, crops, holes)
        parity.check(out.name, precision)
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    return parity


def write_onnx(net: nn.Module, out: Path, precision: str) -> None:
    """Export a generator as ONNX, without comparing the file with it.

    Args:
        net: the network in evaluation mode, in the precision to export.
        out: the file to write.
        precision: "fp32" or "fp16", for the file's metadata.
    """
    sides = 2, CROP_SIZE, CROP_SIZE
    example = torch.zeros(*sides, 3, dtype=torch.uint8), torch.zeros(sides, dtype=torch.uint8)
    program = torch.onnx.export(
        ByteGenerator(net).eval(),
        example,
        input_names=["crops", "holes"],
        output_names=["filled"],
        dynamic_shapes={"crops": {0: "N"}, "holes": {0: torch.export.Dim.DYNAMIC}},
        opset_version=18,
        dynamo=True,
        verbose=False,
    )
    assert program is not None
    program.model.metadata_props["precision"] = precision
    program.save(out)


def compare(
    onnx_file: Path, net: nn.Module, crops: NDArray[np.uint8], holes: NDArray[np.bool_]
) -> Parity:
    """Compare a file on ONNX Runtime with the network in fp32; see `export_generator`."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(onnx_file), providers=["CPUExecutionProvider"])
    feed = {"crops": crops, "holes": holes.astype(np.uint8)}
    exported = np.asarray(session.run(["filled"], feed)[0])
    trained = fill(net, crops, holes)
    if not np.array_equal(exported[~holes], crops[~holes]):
        raise RuntimeError("the exported generator changes pixels outside the hole")
    difference = np.abs(exported.astype(int) - trained.astype(int))[holes]
    return Parity(int(difference.max(initial=0)), float(difference.mean()))
