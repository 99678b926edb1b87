"""Initial weights from a run or a shipped file; widening keeps the function."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from inpaint_model.errors import UserError
from inpaint_model.model_files import WEIGHTS_DIR
from inpaint_model.networks.paper import PaperGenerator
from inpaint_model.networks.segmenter import MaskSegmenterNet
from realtime.align.warp_crop import warp_crop
from realtime.frames import Face
from realtime.segment.segmenter import MaskSegmenter
from realtime.synthetic import preset_style, render_mask
from trainer import initial_weights
from trainer.augment.holes import draw_protocol
from trainer.augment.segmenter_samples import draw_segmenter_batch
from trainer.config import FitConfig, Stage
from trainer.data.face_set import FaceSet
from trainer.evaluate.fill_crops import to_mask, to_tensor
from trainer.export.from_tflite import segmenter_from_tflite
from trainer.generator_task import GeneratorTask, make_generator
from trainer.initial_weights import (
    check_initial_weights,
    load_initial_adversaries,
    load_initial_weights,
)
from trainer.presets import PRESETS
from trainer.runs import RunFolder
from trainer.segmenter_task import segment


def trained(width: int) -> PaperGenerator:
    """A generator whose batch-norm statistics are not the initial ones."""
    torch.manual_seed(width)
    net = PaperGenerator(2, width, balance=True)
    for _ in range(3):
        net(torch.rand(4, 3, 128, 128) * 2 - 1, (torch.rand(4, 1, 128, 128) > 0.7).float())
    return net.eval()


def tiny(width: int) -> FitConfig:
    return replace(PRESETS["paper-mask"], width=width, stages=(Stage(steps=1, batch=4),))


def save_run(net: PaperGenerator, folder: Path) -> Path:
    run = RunFolder(folder)
    run.begin(tiny(net.width), resume=False)
    run.save({"step": 1, "average": net.state_dict()})
    return folder


def test_initial_weights_of_run_are_its_average(tmp_path: Path, faces: FaceSet):
    net = trained(4)
    same = make_generator(tiny(4))
    load_initial_weights(save_run(net, tmp_path / "run"), same, tiny(4), faces)
    crops, holes = torch.rand(1, 3, 128, 128) * 2 - 1, torch.ones(1, 1, 128, 128)
    with torch.no_grad():
        assert torch.equal(same.eval()(crops, holes), net(crops, holes))


def test_initial_adversaries_of_run_are_its_own(tmp_path: Path, faces: FaceSet):
    config = replace(PRESETS["fast"], stages=(Stage(steps=1, batch=4, adversarial=0.01),))
    before, after, anew = (
        GeneratorTask(replace(config, seed=seed), faces, faces, None) for seed in (1, 2, 2)
    )
    run = RunFolder(tmp_path)
    run.begin(config, resume=False)
    average = before.net.state_dict()
    run.save({"step": 1, "average": average, "extra": before.extra_state()})
    load_initial_adversaries(tmp_path, after)

    def first(task: GeneratorTask) -> torch.Tensor:
        return next(task.adversaries["patch"].module.parameters())

    assert torch.equal(first(after), first(before))
    assert not torch.equal(first(anew), first(before))
    load_initial_adversaries(WEIGHTS_DIR / "fast.onnx", anew)  # a file holds none
    run.save({"step": 2, "average": average})
    load_initial_adversaries(tmp_path, anew)  # nor does a run without adversaries
    assert not torch.equal(first(anew), first(before))


def test_initial_weights_that_do_not_fit_are_refused(tmp_path: Path, faces: FaceSet):
    run = save_run(trained(4), tmp_path / "run")
    with pytest.raises(UserError, match="another width"):
        load_initial_weights(run, make_generator(tiny(6)), tiny(6), faces)
    fast = PRESETS["fast"]
    with pytest.raises(UserError, match="this run trains fast"):
        load_initial_weights(run, make_generator(fast), fast, faces)
    with pytest.raises(UserError, match="another network"):
        few = faces.select("val")
        load_initial_weights(WEIGHTS_DIR / "fast.onnx", make_generator(tiny(4)), tiny(4), few)
    with pytest.raises(UserError, match="no such file"):
        check_initial_weights(tmp_path / "nothing.onnx")


@pytest.mark.parametrize("name", ["fast.onnx", "segmenter.tflite"])
def test_initial_weights_of_shipped_file_keep_function(
    name: str, faces: FaceSet, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(initial_weights, "_SAMPLES", 64)
    segmenter = name.endswith("tflite")
    config = PRESETS["segmenter" if segmenter else "fast"]
    net = MaskSegmenterNet() if segmenter else make_generator(config)
    load_initial_weights(WEIGHTS_DIR / name, net, config, faces)
    if segmenter:
        rng, indices = np.random.default_rng(1), [0, 1, 2, 3] * 12
        inputs = [to_tensor(draw_segmenter_batch(faces, indices, rng, config.jitter).crops)]
    else:
        holes = to_mask(draw_protocol(faces, "face-mask")[0][:16])
        inputs = [to_tensor(faces.crops[:16]), holes]
    with torch.no_grad():
        shipped, trained = net.eval()(*inputs), net.train()(*inputs)
    # In training mode the norms use the batch's own figures: about what they were given.
    assert (shipped - trained).abs().mean() < 0.25 * (shipped - shipped.mean()).abs().mean()


def test_segmenter_of_shipped_file_predicts_the_same(astronaut_rgb, astronaut_face: Face):
    assert astronaut_face.landmarks is not None
    worn = render_mask(astronaut_rgb, astronaut_face.landmarks, preset_style("surgical"))
    crop, _ = warp_crop(worn.image_rgb, astronaut_face.matrix)
    with MaskSegmenter() as shipped:
        wanted = shipped(crop)
    found = segment(segmenter_from_tflite(WEIGHTS_DIR / "segmenter.tflite"), crop[None])[0]
    assert (wanted > 0.5).mean() > 0.1
    assert abs(found - wanted).max() < 0.02
