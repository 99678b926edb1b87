"""Exports a run's averaged weights to the artefact its network ships as: the command `export`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import nn

from inpaint_model.segmenter import MaskSegmenterNet
from trainer import faceset
from trainer.export import export_generator
from trainer.faceset import FaceSet
from trainer.fit import load_average
from trainer.generator_task import make_generator
from trainer.quantize import quantize_onnx
from trainer.runs import RunFolder
from trainer.sampling import draw_protocol
from trainer.segmenter_task import wear_all

_PARITY_CROPS, _QUANTIZATION_CROPS = 32, 400
_SHIPPED = {"student": "fast", "paper": "paper", "glcic": "glcic"}


def load_generator(run: Path) -> tuple[nn.Module, int]:
    """Load the averaged weights of a finished or running `fit` of a generator, and their step.

    Raises:
        UserError: the folder holds no run, or one of a network that is no generator.
    """
    net = make_generator(RunFolder(run).config())
    step = load_average(run, net)
    return net.eval(), step


def export_run(run: Path, data: Sequence[Path], out: Path) -> str:
    """Export a run's averaged weights; return a line on parity.

    Args:
        run: a folder `fit` wrote.
        data: prepared files; held-out crops of them are what parity is checked on.
        out: the artefact's folder: `fast.onnx`, `paper.onnx` or `segmenter.tflite`.
    """
    config = RunFolder(run).config()
    val = faceset.load(data).only("val").some(_QUANTIZATION_CROPS, 0)
    out.mkdir(parents=True, exist_ok=True)
    if config.network == "segmenter":
        return _export_segmenter(run, val, out)
    name = _SHIPPED[config.network]
    holes, _ = draw_protocol(val, "face-mask")
    net, _ = load_generator(run)
    few = val.crops[:_PARITY_CROPS], holes[:_PARITY_CROPS]
    path = out / f"{name}.onnx"
    lines = [f"{path}: {export_generator(net, path, *few, half=True)}"]
    # int8 is made from full precision: NNCF folds and measures in it.
    whole = out / f"{name}.fp32.onnx"
    try:
        export_generator(net, whole, *few)
        lines.append(str(quantize_onnx(whole, val.crops, holes, out / f"{name}.int8.onnx")))
    finally:
        whole.unlink(missing_ok=True)
    return "\n".join(lines)


def _export_segmenter(run: Path, val: FaceSet, out: Path) -> str:
    from trainer.tflite import export_segmenter

    net = MaskSegmenterNet()
    load_average(run, net)
    path = out / "segmenter.tflite"
    worn = wear_all(val.where(np.arange(len(val)) < _PARITY_CROPS), [], seed=2)
    return f"{path}: {export_segmenter(net.eval(), path, worn.crops)}"
