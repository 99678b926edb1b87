"""Faces to be found: where they are put, and what counts as found, right, or found twice."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.__main__ import main
from benchmarks.finding import conditions, find, rolls, sizes, twice
from benchmarks.finding.faces import TestFace, load_faces
from benchmarks.finding.matching import Seen, eye_offset, nearest
from benchmarks.finding.options import FindOptions
from benchmarks.finding.outcome import FaceOutcomes, Outcome, open_look
from benchmarks.finding.placing import background, paste, placement, turned

EYES = np.array([[40.0, 50.0], [80.0, 50.0]])


@pytest.fixture(scope="module")
def astronaut() -> TestFace:
    return load_faces(FindOptions(), 1)[0]


def seen(eyes: np.ndarray = EYES, box=(20.0, 20.0, 100.0, 110.0), number: int = 0) -> Seen:
    return Seen(number, box, eyes, filled=True)


def rotated(points: np.ndarray, degrees: float) -> np.ndarray:
    cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return (points - points.mean(0)) @ np.array([[cos, sin], [-sin, cos]]) + points.mean(0)


@pytest.mark.parametrize("degrees", [0, 30, 175, -175, 90])
def test_eye_offset_gives_the_roll(degrees: int):
    offset = eye_offset(rotated(EYES, degrees), EYES, 80)
    assert offset.roll_deg == pytest.approx(degrees)
    assert offset.is_right == (degrees == 0)


def test_eye_offset_gives_shift_and_size():
    offset = eye_offset(EYES * 1.5 + (0, 4), EYES, 80)
    assert offset.size == pytest.approx(1.5)
    assert offset.shift == pytest.approx(np.hypot(30, 29) / 80)
    assert not offset.is_right


def test_nearest_leaves_out_far_and_large_faces():
    far, large, near = seen(EYES + 60), seen(box=(0.0, 0.0, 200.0, 200.0)), seen(EYES + 10)
    assert nearest([far, large, near], EYES, 80) is near
    assert nearest([far, large], EYES, 80) is None


def test_paste_upside_down_turns_the_eyes(astronaut: TestFace):
    frame = background(0, (640, 360))
    before = frame.copy()
    matrix = placement(astronaut, np.array([300.0, 180.0]), 80, 180)
    eyes = paste(frame, astronaut, matrix, masked=True)
    assert eyes[0, 0] > eyes[1, 0]  # the person's right eye is on the left of an upright picture
    assert abs(eyes[:, 0] - 300).max() < 40
    changed = np.argwhere((frame != before).any(axis=2))
    assert changed.min(0).min() > 0
    assert (changed.min(0) > (40, 150)).all() and (changed.max(0) < (320, 450)).all()


@pytest.mark.parametrize("scale", [0.25, 1.0, 2.0])
def test_paste_puts_the_eyes_where_it_says(astronaut: TestFace, scale: float):
    """The pupil is darker than the skin between the eyes, at any size."""
    frame = background(0, (1280, 720))
    matrix = placement(astronaut, np.array([640.0, 360.0]), astronaut.width * scale)
    eyes = paste(frame, astronaut, matrix, masked=False)
    levels = [frame[round(y), round(x)].mean() for x, y in (*eyes, eyes.mean(0))]
    assert max(levels[:2]) < levels[2]


def test_turned_quarter_is_exact_and_any_angle_grows():
    picture = np.arange(5 * 4 * 3, dtype=np.uint8).reshape(5, 4, 3)
    assert np.array_equal(turned(picture, 90), np.rot90(picture, -1))
    assert turned(picture, 45).shape == (7, 7, 3)


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (seen(box=(30.0, 30.0, 110.0, 120.0)), True),  # boxes overlap
        (
            seen(EYES + np.array([50, 0]), box=(55.0, 20.0, 175.0, 140.0)),
            True,
        ),  # eyes in the other's box
        (seen(EYES + np.array([100, 0]), box=(120.0, 20.0, 200.0, 110.0)), False),
        (seen(EYES / 10 + np.array([50, 40]), box=(50.0, 40.0, 60.0, 50.0)), False),  # a badge
    ],
)
def test_overlap_is_of_boxes_or_eyes(other: Seen, same: bool):
    assert twice.overlap(seen(), other) == twice.overlap(other, seen()) == same


def test_one_size_large_face_is_found_and_filled(astronaut: TestFace):
    with open_look(FindOptions()) as look:
        (one,) = sizes.one_size([astronaut], (400, 225), 0.25, look)
    for masked in (one.masked_picture, one.masked_stream):
        assert masked.found and masked.filled and masked.right
    for bare in (one.bare_picture, one.bare_stream):
        assert bare.found and not bare.touched


def test_rolls_counts_faces_and_touched_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rolls, "_SIZE", (400, 225))
    *classes, every, whole = rolls.run(FindOptions(count=1, out=tmp_path))
    assert (classes[0]["faces"], every["faces"], whole["bare pictures"]) == (1, 1, 1)
    assert every["picture: filled"] == 1.0
    assert json.loads((tmp_path / "find-rolls-bare.json").read_text())["touched"] == []


def test_conditions_change_light_and_keep_the_shape():
    frame = background(1, (160, 90))
    changed = {name: change(frame) for name, change in conditions.CONDITIONS.items() if change}
    assert all((one.shape, one.dtype) == (frame.shape, np.uint8) for one in changed.values())
    assert changed["a quarter of the light"].mean() == pytest.approx(frame.mean() / 4, rel=0.1)
    assert changed["out of focus"].std() < frame.std()
    side = changed["light from one side"]
    assert side[:, :20].mean() > 2 * side[:, -20:].mean()


def test_by_yaw_sorts_both_sides():
    out = Outcome(found=True, filled=True, right=True, touched=True)
    first, second, third = (FaceOutcomes(out, out, out, out) for _ in range(3))
    sorted_ = conditions.by_yaw([-20.0, 20.0, 3.0], [first, second, third])
    assert list(sorted_.values()) == [[third], [first, second], []]


def test_find_runs_named_parts_in_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    done = find.run(part=["equal", "twice"], count=1, out=tmp_path)
    assert list(done) == ["twice", "equal"]
    assert done["twice"][0]["with a face found twice"] == 0
    assert [row["a face filled"] for row in done["equal"]] == [1.0] * 3
    printed = capsys.readouterr().out
    assert printed.index("find-twice") < printed.index("find-equal")
    assert (tmp_path / "find-equal.json").is_file()


def test_find_unknown_part_is_one_line(capsys: pytest.CaptureFixture[str]):
    assert main(["find", "--part", "sise"]) == 2
    assert capsys.readouterr().err.startswith("error: --part: no part 'sise'; there are: sizes, ")
