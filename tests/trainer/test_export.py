"""The exported generator is the trained one: parity in ONNX Runtime, untouched known pixels."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import torch

from inpaint_model.student import StudentGenerator, flops
from trainer.export import Parity, export_generator
from trainer.faceset import FaceSet
from trainer.sampling import draw_protocol


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory, faces: FaceSet):
    torch.manual_seed(0)
    net = StudentGenerator()
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d) and module.running_mean is not None:
            torch.nn.init.uniform_(module.running_mean, -0.1, 0.1)
    path = tmp_path_factory.mktemp("export") / "student.onnx"
    holes, _ = draw_protocol(faces, "face-mask")
    return path, export_generator(net, path, faces.crops, holes), holes


def test_parity_with_the_trained_network(exported):
    _, parity, _ = exported
    assert parity.largest <= 1


@pytest.mark.parametrize("count", [1, 3])
def test_any_batch_and_untouched_known_pixels(exported, faces: FaceSet, count: int):
    path, _, holes = exported
    session = onnxruntime.InferenceSession(str(path))
    feed = {"crops": faces.crops[:count], "holes": holes[:count].astype(np.uint8) * 255}
    out = np.asarray(session.run(["filled"], feed)[0])
    assert out.dtype == np.uint8
    assert np.array_equal(out[~holes[:count]], faces.crops[:count][~holes[:count]])


def test_a_wrong_export_is_refused():
    with pytest.raises(RuntimeError, match="differ by 9/255"):
        Parity(9, 1.0).check("student.onnx")


def test_the_student_is_small():
    assert 0.5 < flops(StudentGenerator()) < 1.0
