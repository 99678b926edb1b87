"""The shipped `paper`: its file holds the paper's network, and its fills are near the truth."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from inpaint_model import open_inpainter
from inpaint_model.artefacts import find_generator
from inpaint_model.networks.from_onnx import generator_from_onnx
from inpaint_model.networks.paper import PaperGenerator
from realtime.synthetic import preset_style, silhouette
from trainer.data.face_set import FaceSet


@pytest.fixture(scope="module")
def holes(faces: FaceSet) -> NDArray[np.bool_]:
    styles = [preset_style(kind) for kind in ("surgical", "n95")]
    drawn = [
        silhouette(points, styles[index % 2], (128, 128)) > 0
        for index, points in enumerate(faces.landmarks[:4])
    ]
    return np.stack(drawn)


def test_shipped_paper_is_full_width_fp16():
    path = find_generator("paper").path
    net = generator_from_onnx(path)
    assert isinstance(net, PaperGenerator)
    assert net.width == 64
    assert sum(p.numel() for p in net.parameters()) == pytest.approx(12.2e6, rel=0.005)
    large = [w for w in onnx.load(path).graph.initializer if len(w.dims) == 4]
    assert {w.data_type for w in large} == {onnx.TensorProto.FLOAT16}
    assert path.stat().st_size < 26e6


def test_open_inpainter_paper_fills(faces: FaceSet, holes: NDArray[np.bool_]):
    with open_inpainter("paper") as paper, open_inpainter("fast") as fast:
        assert paper.model == "paper"
        out, other = paper(faces.crops[:4], holes), fast(faces.crops[:4], holes)
    assert np.array_equal(out[~holes], faces.crops[:4][~holes])
    error = [
        np.abs(filled.astype(int) - faces.crops[:4].astype(int))[holes].mean()
        for filled in (out, other)
    ]
    grey = np.abs(127 - faces.crops[:4].astype(int))[holes].mean()
    assert max(error) < grey / 2
