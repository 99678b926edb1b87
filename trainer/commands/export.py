"""The command `export`: writes the averaged weights of a run, or those of a file, as an artefact."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from torch import nn

from inpaint_model.errors import UserError
from inpaint_model.holes import mark_beside_face
from inpaint_model.networks.face_aligner import FaceAlignerNet
from inpaint_model.networks.from_onnx import generator_from_onnx
from inpaint_model.networks.layers import flops
from inpaint_model.networks.paper import PaperGenerator
from inpaint_model.networks.refiner import RefinerNet
from inpaint_model.networks.segmenter import MaskSegmenterNet
from trainer.augment.finish import Jitter
from trainer.augment.generator_samples import draw_generator_batch
from trainer.augment.holes import draw_protocol
from trainer.data import face_set as faceset
from trainer.data.face_set import FaceSet
from trainer.export.image_network_export import INTERFACES, export_image_network, images_of
from trainer.export.onnx_export import export_generator
from trainer.export.prune import prune_generator
from trainer.export.quantize import Inputs, Samples, quantize_onnx
from trainer.fit import load_average
from trainer.generator_task import make_generator
from trainer.networks import make_network
from trainer.options import ExportOptions
from trainer.runs import RunFolder
from trainer.segmenter_task import wear_masks

# Numbers of crops: held-out ones for parity and for the cost of int8, training ones to calibrate and prune.
_PARITY_CROPS, _MEASURED_CROPS, _CALIBRATION_CROPS, _PRUNING_CROPS = 32, 300, 400, 120


def load_generator(run: Path) -> tuple[nn.Module, int]:
    """Load the averaged weights of a generator's run, finished or not, and their step.

    Raises:
        UserError: the folder holds no run of a generator.
    """
    net = make_generator(RunFolder(run).config())
    step = load_average(run, net)
    return net.eval(), step


def export(options: ExportOptions) -> str:
    """Write the artefact of a run or of a file; return lines on parity and on the cost of int8.

    With `mean_with` the weights are the mean of two runs'. int8 is calibrated on training faces; parity and
    cost are measured on held-out ones. The artefact is `fast.onnx`, `paper.onnx`, `segmenter.tflite`,
    `face_aligner.onnx` or `refiner.onnx`.

    Raises:
        UserError: not exactly one of `run` and `model`, or what they name cannot be exported.
    """
    run, model = options.run, options.model
    if (run is None) == (model is None):
        raise UserError("name either --run or --model")
    if options.mean_with is not None and run is None:
        raise UserError("--mean-with goes with --run")
    if model is not None and not model.is_file():
        raise UserError(f"{model}: no such model file")
    scale = 1
    if run is None:
        assert model is not None
        net = generator_from_onnx(model)
    else:
        net, scale = _load(run), RunFolder(run).config().data_scale
        if options.mean_with is not None:
            _take_mean(net, options.mean_with)
    faces = faceset.load(options.data, scale).canonical()
    write = {
        MaskSegmenterNet: _export_segmenter,
        FaceAlignerNet: _export_image_network,
        RefinerNet: _export_image_network,
    }
    return write.get(type(net), export_network)(net.eval(), faces, options.out)


def export_network(net: nn.Module, faces: FaceSet, out: Path) -> str:
    """Write a generator in fp16, and in int8 if that costs little quality; see `export`."""
    name = _name_of(net)
    out.mkdir(parents=True, exist_ok=True)
    train = _some(faces, "train", _CALIBRATION_CROPS)
    measured = _under_masks(_some(faces, "val", _MEASURED_CROPS))
    few = measured.crops[:_PARITY_CROPS], measured.holes[:_PARITY_CROPS]
    path = out / f"{name}.onnx"
    lines = [f"{path}: {export_generator(net, path, *few, half=True)}"]
    # NNCF quantises a file of full precision.
    whole, narrow = out / f"{name}.fp32.onnx", None
    try:
        export_generator(net, whole, *few)
        small = _narrowed(net, train)
        if small is not None:
            narrow = out / f"{name}.narrow.onnx"
            export_generator(small, narrow, *few)
            lines.append(f"pruned from {_size(net)} to {_size(small)}")
        int8 = out / f"{name}.int8.onnx"
        report = quantize_onnx(whole, _as_in_training(train), measured, int8, narrow=narrow)
        lines.append(f"{int8}: {report}")
    finally:
        whole.unlink(missing_ok=True)
        if narrow is not None:
            narrow.unlink(missing_ok=True)
    return "\n".join(lines)


def _load(run: Path) -> nn.Module:
    """Load a run's averaged weights, of any network."""
    net = make_network(RunFolder(run).config())
    load_average(run, net)
    return net


def _take_mean(net: nn.Module, run: Path) -> None:
    """Give a network the mean of its own and a run's weights (Wang et al. 2018, "ESRGAN")."""
    ours, theirs = net.state_dict(), _load(run).state_dict()
    if [value.shape for value in ours.values()] != [value.shape for value in theirs.values()]:
        raise UserError(f"{run}: holds another network, or one of another width")
    for value, other in zip(ours.values(), theirs.values(), strict=True):
        if value.is_floating_point():  # not the number of batches that a batch norm has seen
            value.add_(other).div_(2)


def _some(faces: FaceSet, split: str, most: int) -> FaceSet:
    some = faces.select(split).sample(most, 0)
    if not len(some):
        raise UserError("exporting needs training faces and held-out ones in the data")
    return some


def _under_masks(faces: FaceSet) -> Samples:
    return Samples(faces.crops, draw_protocol(faces, "face-mask")[0])


def _as_in_training(faces: FaceSet) -> Inputs:
    """Draw one sample of each face as in training, so that all kinds of holes give their ranges."""
    rng = np.random.default_rng(0)
    batch = draw_generator_batch(faces, range(len(faces)), rng, Jitter())
    return {"crops": batch.crops, "holes": mark_beside_face(batch.holes, ~batch.beside)}


def _name_of(net: nn.Module) -> str:
    if not isinstance(net, PaperGenerator):
        return "fast"
    return "paper" if len(net.autoencoders) == 2 else "glcic"


def _narrowed(net: nn.Module, faces: FaceSet) -> PaperGenerator | None:
    if not isinstance(net, PaperGenerator):
        return None
    some = _under_masks(faces)
    return prune_generator(net, some.crops[:_PRUNING_CROPS], some.holes[:_PRUNING_CROPS])


def _size(net: nn.Module) -> str:
    assert isinstance(net, PaperGenerator)
    return f"width {net.width} ({flops(net):.2f} GFLOP a crop)"


def _export_segmenter(net: nn.Module, faces: FaceSet, out: Path) -> str:
    from trainer.export.tflite_export import export_segmenter

    out.mkdir(parents=True, exist_ok=True)
    path = out / "segmenter.tflite"
    val = faces.select("val").sample(_MEASURED_CROPS, 0)
    worn = wear_masks(val.where(np.arange(len(val)) < _PARITY_CROPS), [], seed=2)
    return f"{path}: {export_segmenter(net, path, worn.crops)}"


def _export_image_network(net: nn.Module, faces: FaceSet, out: Path) -> str:
    path = out / f"{INTERFACES[type(net)].stem}.onnx"
    few = faces.select("val").sample(_PARITY_CROPS, 0)
    if not len(few):
        raise UserError("exporting needs held-out faces in the data")
    return f"{path}: {export_image_network(net, path, images_of(net, few))}"
