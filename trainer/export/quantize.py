"""Quantises an exported generator to int8 (NNCF, post-training) and keeps it if it costs little."""

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
from trainer.evaluate.measures import composited_psnr

if TYPE_CHECKING:
    import onnx

MAX_COST_DB = 0.3  # of mean PSNR, with pruning
MAX_ENGINE_ERROR = 0.1  # mean error of OpenVINO beyond that of exact arithmetic, levels of 255
_MIN_CROPS = 4
_BATCH = 8  # crops filled at a time
_CONVOLUTIONS = ("Conv", "ConvTranspose")
_PICTURE_CHANNELS = {"in": 4, "out": 3}  # RGB with the hole, and RGB

Inputs = dict[str, NDArray[np.uint8]]


@dataclass(frozen=True)
class Samples:
    """Bare faces and their holes.

    Attributes:
        crops: uint8 [N, 128, 128, 3], RGB; they are the truth too.
        holes: bool [N, 128, 128].
    """

    crops: NDArray[np.uint8]
    holes: NDArray[np.bool_]


@dataclass(frozen=True)
class QuantizeReport:
    """The cost of int8 on crops that neither calibration nor pruning used.

    Attributes:
        psnr_full_db: mean PSNR of composited crops, by the network as trained in fp32.
        psnr_narrow_db: the same of the pruned network in fp32; None if it was not pruned.
        psnr_int8_db: the same of the int8 file on OpenVINO.
        int8_error: mean difference inside the holes, in levels of 255, of the int8 file on OpenVINO from
            the fp32 file it was made of.
        exact_error: the same in exact arithmetic, the cost of rounding to 8 bits. If OpenVINO's error is
            larger, OpenVINO computes the file wrongly.
        crops: number of crops measured.
        kept: whether the int8 file was written.
    """

    psnr_full_db: float
    psnr_narrow_db: float | None
    psnr_int8_db: float
    int8_error: float
    exact_error: float
    crops: int
    kept: bool

    @property
    def cost_db(self) -> float:
        """Loss of mean PSNR of the int8 file against the network as trained."""
        return self.psnr_full_db - self.psnr_int8_db

    def __str__(self) -> str:
        parts = ""
        if self.psnr_narrow_db is not None:
            pruning = self.psnr_full_db - self.psnr_narrow_db
            parts = f" (pruning {pruning:.3f}, int8 {self.cost_db - pruning:.3f})"
        return (
            f"int8 costs {self.cost_db:.3f} dB{parts}: {self.psnr_full_db:.2f} to "
            f"{self.psnr_int8_db:.2f} on {self.crops} crops; fills differ by {self.int8_error:.3f}/255, in "
            f"exact arithmetic by {self.exact_error:.3f}: {'kept' if self.kept else 'not kept'}"
        )


def quantize_onnx(
    full: Path,
    calibration: Inputs,
    measured: Samples,
    out_path: Path,
    *,
    narrow: Path | None = None,
    max_cost_db: float = MAX_COST_DB,
) -> QuantizeReport:
    """Write an int8 version of a generator (QDQ, the same inputs and output).

    If it costs too much, or OpenVINO computes it wrongly, no file is kept, and an older `out_path` is
    removed.

    Args:
        full: the generator as trained, fp32; the cost is measured against it.
        calibration: the network's inputs by name, for the ranges; 200 to 400 crops are enough.
        measured: samples to measure the cost on.
        out_path: the file to write, `NAME.int8.onnx` beside the other.
        narrow: the pruned generator, fp32, to quantise instead of the full one.
        max_cost_db: largest cost of pruning and int8 together.

    Returns:
        The measured cost.

    Raises:
        UserError: too few crops.
    """
    import onnx

    for crops in (calibration["crops"], measured.crops):
        if len(crops) < _MIN_CROPS:
            raise UserError(f"quantising needs at least {_MIN_CROPS} crops, not {len(crops)}")
    part = out_path.with_name(f"part-{out_path.name}")
    try:
        onnx.save(_quantized(onnx.load(narrow or full), calibration), part)
        report = _measure(full, narrow, part, measured, max_cost_db)
        out_path.unlink(missing_ok=True)
        if report.kept:
            part.replace(out_path)
    finally:
        part.unlink(missing_ok=True)
    return report


def float_nodes(model: onnx.ModelProto) -> list[str]:
    """Name the nodes to leave in floating point.

    These are normalisation and compositing, and the convolutions that read or draw a picture: they have
    little of the arithmetic and cause most of the loss. The first convolutions after each input stay in
    floating point too: OpenVINO 2026.4 merges the normalisation before a quantised one into its scale and
    computes it wrongly.
    """
    nodes = [node for node in model.graph.node if node.op_type != "Constant"]
    floating = _before_first(nodes, {value.name for value in model.graph.input})
    shapes = {item.name: tuple(item.dims) for item in model.graph.initializer}
    wanted: set[str] = set()
    for node in reversed(nodes):
        if node.op_type in _CONVOLUTIONS:
            wanted.update(node.input)
            if node.op_type == "Conv" and _touches_picture(shapes[node.input[1]]):
                floating.add(node.name)
        elif wanted.intersection(node.output):
            wanted.update(node.input)
        else:
            floating.add(node.name)
    return [node.name for node in nodes if node.name in floating]


def _touches_picture(shape: tuple[int, ...]) -> bool:
    return shape[1] <= _PICTURE_CHANNELS["in"] or shape[0] <= _PICTURE_CHANNELS["out"]


def _before_first(nodes: Iterable[onnx.NodeProto], raw: set[str]) -> set[str]:
    """Name the nodes from the inputs `raw` to the first convolutions, these included."""
    found, raw = set(), set(raw)
    for node in nodes:
        if raw.intersection(node.input):
            found.add(node.name)
            if node.op_type not in _CONVOLUTIONS:
                raw.update(node.output)
    return found


def _quantized(model: onnx.ModelProto, calibration: Inputs) -> onnx.ModelProto:
    os.environ.setdefault("NNCF_CI", "1")  # switches its telemetry off
    import nncf
    from nncf.quantization.advanced_parameters import OverflowFix

    nncf.set_log_level(logging.WARNING)
    count = len(calibration["crops"])
    samples: Iterable[Inputs] = [
        {name: array[index : index + 1] for name, array in calibration.items()}
        for index in range(count)
    ]
    return nncf.quantize(
        model,
        nncf.Dataset(samples),
        subset_size=count,
        preset=nncf.QuantizationPreset.PERFORMANCE,
        ignored_scope=nncf.IgnoredScope(names=float_nodes(model)),
        advanced_parameters=nncf.AdvancedQuantizationParameters(
            # With weights of 7 bits, pairs of products fit 16 bits, and no CPU saturates.
            overflow_fix=OverflowFix.ENABLE,
            # Measured: bias correction shifts the fill's colour by more than it repairs.
            disable_bias_correction=True,
        ),
    )


def _measure(
    full: Path, narrow: Path | None, int8: Path, measured: Samples, max_cost_db: float
) -> QuantizeReport:
    whole = _fill(full, "onnxruntime", measured)
    part = whole if narrow is None else _fill(narrow, "onnxruntime", measured)
    before, between = _psnr(whole, measured), None if narrow is None else _psnr(part, measured)
    filled, exact = _fill(int8, "openvino", measured), _exact_fill(int8, measured)
    after = _psnr(filled, measured)
    int8_error, exact_error = (_mean_error(out, part, measured.holes) for out in (filled, exact))
    right = int8_error - exact_error <= MAX_ENGINE_ERROR
    kept = right and before - after <= max_cost_db
    return QuantizeReport(before, between, after, int8_error, exact_error, len(filled), kept)


def _mean_error(
    filled: NDArray[np.uint8], wanted: NDArray[np.uint8], holes: NDArray[np.bool_]
) -> float:
    apart = np.abs(filled.astype(np.int16) - wanted)[holes]
    return float(apart.mean()) if apart.size else 0.0


def _psnr(filled: NDArray[np.uint8], measured: Samples) -> float:
    return float(composited_psnr(filled, measured.crops).mean())


def _fill(path: Path, engine: str, measured: Samples) -> NDArray[np.uint8]:
    crops, holes = measured.crops, measured.holes
    with open_inpainter(path, engine) as inpainter:
        outs = [
            inpainter(crops[i : i + _BATCH], holes[i : i + _BATCH])
            for i in range(0, len(crops), _BATCH)
        ]
    return np.concatenate(outs)


def _exact_fill(path: Path, measured: Samples) -> NDArray[np.uint8]:
    """Run an int8 file exactly: values rounded to 8 bits, sums in float.

    ONNX Runtime does so on every CPU if its optimisations are off.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    crops, flags = measured.crops, measured.holes.astype(np.uint8)
    outs = [
        session.run(["filled"], {"crops": crops[i : i + _BATCH], "holes": flags[i : i + _BATCH]})[0]
        for i in range(0, len(crops), _BATCH)
    ]
    return np.concatenate([np.asarray(out) for out in outs])
