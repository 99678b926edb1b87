"""Mattes of people: a segmenter of the tests' own, run by MediaPipe, and what `prepare` stores of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from inpaint_model.errors import UserError
from trainer.data import face_set as faceset
from trainer.data.coded_face import decode_matte
from trainer.data.person_matte import SelfieSegmenter
from trainer.data.prepare import prepare
from trainer.export.tflite_graph import TfliteGraph


def write_segmenter(path: Path, slope: float, offset: float) -> Path:
    """Write a network whose opacity is the sigmoid of a line over the pixel's brightness, 0..1."""
    graph = TfliteGraph()
    picture = graph.tensor("picture", [1, 64, 64, 3])
    conv = nn.Conv2d(3, 1, 1)
    with torch.no_grad():
        conv.weight.fill_(slope / 3)
        assert conv.bias is not None
        conv.bias.fill_(offset)
    logits = graph.convolution(picture, conv, relu=False)
    path.write_bytes(graph.build([picture], [graph.sigmoid(logits, "person")]))
    return path


def test_selfie_segmenter_gives_the_opacity_of_each_pixel(tmp_path: Path) -> None:
    picture = np.full((60, 90, 3), 40, np.uint8)
    picture[:, 45:] = 220
    with SelfieSegmenter(write_segmenter(tmp_path / "bright.tflite", 20, -10)) as segmenter:
        matte = segmenter(picture)
    assert matte.shape == (60, 90) and matte.dtype == np.uint8
    assert matte[:, :40].max() < 8
    assert matte[:, 50:].min() > 247


def test_selfie_segmenter_refuses_other_files(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        SelfieSegmenter(tmp_path / "none.tflite")
    (tmp_path / "text.tflite").write_text("not a network")
    with pytest.raises(UserError, match="not a segmenter"):
        SelfieSegmenter(tmp_path / "text.tflite")


@pytest.mark.parametrize(
    ("offset", "taken"),
    [(9.0, True), (0.0, False), (-9.0, False)],  # all person; unsure; the face is background
)
def test_prepare_stores_mattes_that_are_sure(
    wide_file: Path, tmp_path: Path, offset: float, *, taken: bool
) -> None:
    model = write_segmenter(tmp_path / "flat.tflite", 0, offset)
    out = tmp_path / "with.npz"
    report = prepare(None, out, data=[wide_file], mattes=model)
    faces = faceset.read(out)
    count = sum(bool(face.matte) for face in faces)
    assert f"with a matte: {count}\n" in report
    assert (count > 0) == taken
    loaded = faceset.load([out])
    assert (loaded.matte is not None) == taken
    if loaded.matte is not None:
        assert loaded.matte.shape == loaded.valid.shape and loaded.matte.min() > 245


def test_prepare_cuts_mattes_to_a_narrower_margin(wide_file: Path, tmp_path: Path) -> None:
    model = write_segmenter(tmp_path / "flat.tflite", 0, 9)
    prepare(None, tmp_path / "wide.npz", data=[wide_file], mattes=model)
    prepare(None, tmp_path / "narrow.npz", data=[tmp_path / "wide.npz"], margin_px=20)
    narrow = [face for face in faceset.read(tmp_path / "narrow.npz") if face.matte]
    assert narrow
    assert all(decode_matte(face).shape == (168, 168) for face in narrow)
