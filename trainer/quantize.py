"""Quantises an exported generator to int8 (NNCF, after training) and keeps it if it costs little."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inpaint_model import open_inpainter
from inpaint_model.errors import UserError
from trainer.measures import composited_psnr

if TYPE_CHECKING:
    import onnx

MOST_COST_DB = 0.3
MOST_DISAGREEMENT = 0.5
_LEAST_CROPS = 8
_CONVOLUTIONS = ("Conv", "ConvTranspose")


@dataclass(frozen=True)
class QuantizeReport:
    """What int8 costs, on crops that calibration did not see.

    Attributes:
        psnr_fp32_db, psnr_int8_db: mean PSNR of the composited crops.
        disagreement: mean difference between OpenVINO and ONNX Runtime in int8, in levels of 255,
            inside the holes. Both compute the same network; a large one means that one is wrong.
        crops: how many crops were measured.
        kept: whether the int8 file was written.
    """

    psnr_fp32_db: float
    psnr_int8_db: float
    disagreement: float
    crops: int
    kept: bool

    @property
    def cost_db(self) -> float:
        """What int8 loses against fp32."""
        return self.psnr_fp32_db - self.psnr_int8_db

    def __str__(self) -> str:
        verdict = "kept" if self.kept else "not kept"
        return (
            f"int8 costs {self.cost_db:.3f} dB ({self.psnr_fp32_db:.2f} to "
            f"{self.psnr_int8_db:.2f} on {self.crops} crops), engines differ by "
            f"{self.disagreement:.3f}/255: {verdict}"
        )


def quantize_onnx(
    onnx_path: Path,
    crops: NDArray[np.uint8],
    holes: NDArray[np.bool_],
    out_path: Path,
    *,
    most_cost_db: float = MOST_COST_DB,
) -> QuantizeReport:
    """Write an int8 version (QDQ, the same inputs and output) of a generator.

    Every second crop calibrates, the others measure. Where int8 costs too much, or the engines
    disagree about it, nothing is kept and an older `out_path` is removed.

    Args:
        onnx_path: the full-precision generator.
        crops: uint8 [N, 128, 128, 3], RGB, bare faces: also the truth; 200 to 600 are enough.
        holes: bool [N, 128, 128].
        out_path: the file to write, `NAME.int8.onnx` beside the other.
        most_cost_db: what int8 may cost.

    Returns:
        The measured cost.

    Raises:
        UserError: too few crops.
    """
    import onnx

    if len(crops) < _LEAST_CROPS:
        raise UserError(f"quantising needs at least {_LEAST_CROPS} crops, not {len(crops)}")
    part = out_path.with_name(f"part-{out_path.name}")
    try:
        onnx.save(_quantized(onnx.load(onnx_path), crops[::2], holes[::2]), part)
        report = _measure(onnx_path, part, crops[1::2], holes[1::2], most_cost_db)
        out_path.unlink(missing_ok=True)
        if report.kept:
            part.replace(out_path)
    finally:
        part.unlink(missing_ok=True)
    return report


def float_nodes(model: onnx.ModelProto) -> list[str]:
    """Name the nodes to leave in floating point: all but the network between its ends.

    These are normalisation and compositing, and also each first convolution: the one that an input
    reaches with no other convolution before it. OpenVINO (2026.4) takes the normalisation of uint8
    inputs for part of a quantised one's input scale and computes it wrongly; ONNX Runtime does not.
    """
    nodes = [node for node in model.graph.node if node.op_type != "Constant"]
    raw = {value.name for value in model.graph.input}
    floating = set()
    for node in nodes:
        if raw.intersection(node.input):
            floating.add(node.name)
            if node.op_type not in _CONVOLUTIONS:
                raw.update(node.output)
    wanted: set[str] = set()
    for node in reversed(nodes):
        if node.op_type in _CONVOLUTIONS or wanted.intersection(node.output):
            wanted.update(node.input)
        else:
            floating.add(node.name)
    return [node.name for node in nodes if node.name in floating]


def _quantized(
    model: onnx.ModelProto, crops: NDArray[np.uint8], holes: NDArray[np.bool_]
) -> onnx.ModelProto:
    os.environ.setdefault("NNCF_CI", "1")  # its way of switching telemetry off
    import nncf

    nncf.set_log_level(logging.WARNING)
    flags = holes.astype(np.uint8)
    samples: Iterable[dict[str, NDArray[np.uint8]]] = [
        {"crops": crops[index : index + 1], "holes": flags[index : index + 1]}
        for index in range(len(crops))
    ]
    return nncf.quantize(
        model,
        nncf.Dataset(samples),
        subset_size=len(crops),
        preset=nncf.QuantizationPreset.PERFORMANCE,
        ignored_scope=nncf.IgnoredScope(names=float_nodes(model)),
        # Measured: correcting biases loses 0.04 dB here.
        advanced_parameters=nncf.AdvancedQuantizationParameters(disable_bias_correction=True),
    )


def _measure(
    full: Path,
    int8: Path,
    crops: NDArray[np.uint8],
    holes: NDArray[np.bool_],
    most_cost_db: float,
) -> QuantizeReport:
    before = _fill(full, "onnxruntime", crops, holes)
    after = _fill(int8, "openvino", crops, holes)
    other = _fill(int8, "onnxruntime", crops, holes)
    everywhere = np.ones_like(holes)
    psnr = [float(composited_psnr(out, crops, everywhere).mean()) for out in (before, after)]
    apart = np.abs(after.astype(np.int16) - other)[holes]
    disagreement = float(apart.mean()) if apart.size else 0.0
    kept = psnr[0] - psnr[1] <= most_cost_db and disagreement <= MOST_DISAGREEMENT
    return QuantizeReport(psnr[0], psnr[1], disagreement, len(crops), kept)


def _fill(
    path: Path, engine: str, crops: NDArray[np.uint8], holes: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    with open_inpainter(path, engine) as inpainter:
        outs = [inpainter(crops[i : i + 8], holes[i : i + 8]) for i in range(0, len(crops), 8)]
    return np.concatenate(outs)
