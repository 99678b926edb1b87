"""Makes the network of a run, untrained."""

from __future__ import annotations

from torch import nn

from inpaint_model.networks.face_aligner import FaceAlignerNet
from inpaint_model.networks.refiner import RefinerNet
from inpaint_model.networks.segmenter import MaskSegmenterNet
from trainer.config import FitConfig
from trainer.generator_task import make_generator


def make_network(config: FitConfig) -> nn.Module:
    """Make a run's segmenter, face aligner, refiner or generator, untrained."""
    if config.network == "segmenter":
        return MaskSegmenterNet()
    if config.network == "aligner":
        return FaceAlignerNet()
    if config.network == "refiner":
        return RefinerNet()
    return make_generator(config)
