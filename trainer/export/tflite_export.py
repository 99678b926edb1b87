"""Writes the mask segmenter as a TFLite file with the metadata MediaPipe Image Segmenter needs.

The network has few operators, so that it is written in TFLite's schema, which MediaPipe ships; a
converter would need an environment of its own. Batch norms are folded into the convolutions.
`export_segmenter` compares the file, run by MediaPipe, with torch.
"""

from __future__ import annotations

import copy
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from inpaint_model.errors import UserError
from inpaint_model.networks.segmenter import MaskSegmenterNet
from realtime.align.canonical_crop import CROP_SIZE
from realtime.segment.segmenter import MaskSegmenter
from trainer.evaluate.measures import iou
from trainer.export.tflite_graph import TfliteGraph
from trainer.export.tflite_metadata import add_metadata
from trainer.segmenter_task import segment

LABELS = ("background", "mask")
MAX_DIFFERENCE = 0.02  # of the mask's probability
_MEAN = _DEVIATION = 127.5  # of the values that the network expects


@dataclass(frozen=True)
class SegmenterParity:
    """Difference of the file, run by MediaPipe, from the trained network.

    Attributes:
        largest, mean: absolute difference of the mask's probability.
        iou: mean IoU of the two masks, thresholded at one half.
    """

    largest: float
    mean: float
    iou: float


def write_graph(net: MaskSegmenterNet) -> bytes:
    """Write the network's forward pass as a TFLite model, without metadata."""
    graph = TfliteGraph()
    crops = graph.tensor("crops", [1, CROP_SIZE, CROP_SIZE, 3])
    at64 = graph.conv_unit(crops, net.down64)
    at32 = graph.conv_unit(at64, net.down32)
    at16 = graph.conv_unit(at32, net.down16)
    x = graph.concatenate(graph.upsample(graph.conv_unit(at16, net.down8)), at16)
    x = graph.concatenate(graph.upsample(graph.conv_unit(x, net.fuse16)), at32)
    x = graph.concatenate(graph.upsample(graph.conv_unit(x, net.fuse32)), at64)
    margins = graph.convolution(
        graph.conv_unit(x, net.fuse64), _logit_differences(net.logits), relu=False
    )
    coarse = graph.upsample(margins)
    beside = graph.conv_unit(graph.concatenate(coarse, crops), net.beside)
    corrections = graph.convolution(beside, _logit_differences(net.corrections), relu=False)
    return graph.build([crops], [graph.sigmoid(graph.add(coarse, corrections), "masks")])


def _logit_differences(logits: nn.Conv2d) -> nn.Conv2d:
    """Make each of two logits its difference from the other, whose sigmoid equals the softmax."""
    margins = copy.deepcopy(logits)
    for part in margins.parameters():
        part.data = part.data - part.data.flip(0)
    return margins


def export_segmenter(net: nn.Module, out: Path, crops: NDArray[np.uint8]) -> SegmenterParity:
    """Export the segmenter and compare the file, run by MediaPipe, with the trained network.

    Args:
        net: the trained network.
        out: the `.tflite` to write.
        crops: uint8 [N, 128, 128, 3], RGB, real crops to compare on.

    Raises:
        UserError: the network is not a MaskSegmenterNet, or the crops are not such crops.
        RuntimeError: the file differs from the network.
    """
    if not isinstance(net, MaskSegmenterNet):
        raise UserError(
            f"only a MaskSegmenterNet can be written as TFLite, not {type(net).__name__}"
        )
    wanted_shape = (CROP_SIZE, CROP_SIZE, 3)
    if crops.dtype != np.uint8 or not len(crops) or crops.shape[1:] != wanted_shape:
        raise UserError(
            f"parity needs uint8 crops [N, {CROP_SIZE}, {CROP_SIZE}, 3], at least one, "
            f"not {crops.dtype} {list(crops.shape)}"
        )
    net = net.eval()
    content = add_metadata(write_graph(net), _MEAN, _DEVIATION, LABELS)
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder) / "trial.tflite"
        trial.write_bytes(content)
        with MaskSegmenter(trial) as segmenter:
            found = np.stack([segmenter(np.ascontiguousarray(crop)) for crop in crops])
    with torch.no_grad():
        wanted = segment(net, crops)
    difference = np.abs(found - wanted)
    agreement = float(iou(found > 0.5, wanted > 0.5).mean())
    parity = SegmenterParity(float(difference.max()), float(difference.mean()), agreement)
    if parity.largest > MAX_DIFFERENCE:
        raise RuntimeError(
            f"{out.name}: exported and trained network differ by {parity.largest:.3f}"
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(out.name + ".part")
    part.write_bytes(content)
    part.replace(out)
    return parity
