"""Frames without people: repeatable, varied, and counted both as pictures and as a stream."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.photographs import empty
from inpaint_model.errors import UserError
from realtime import Unmasker


def test_views_are_repeatable_and_varied():
    once, again = (list(empty.views(12, seed=4)) for _ in range(2))
    for one, other in zip(once, again, strict=True):
        assert np.array_equal(next(one.frames(1)), next(other.frames(1)))
    assert len({one.name for one in once}) > 3
    assert {one.flipped for one in once} == {True, False}


def test_a_view_moves_on_in_a_stream():
    view = next(empty.views(1))
    frames = list(view.frames(3))
    assert [frame.shape for frame in frames] == [(480, 640, 3)] * 3
    assert not np.array_equal(frames[0], frames[1])


def test_false_faces_are_counted(tmp_path: Path):
    pictures, stream = empty.run(tmp_path, "fast", "auto", count=4)
    assert (pictures["frames without people"], stream["frames without people"]) == (
        "pictures",
        "stream",
    )
    data = json.loads((tmp_path / "empty.json").read_text())
    for row in (pictures, stream):
        alarms = data[str(row["frames without people"])]
        assert row["a face found"] == len(alarms["a face found in"]) / 4
        assert row["a pixel changed"] == len(alarms["a pixel changed in"]) / 4
    with pytest.raises(UserError, match="at least one"):
        empty.run(None, "fast", "auto", count=0)


def test_a_clock_and_a_motorcycle_are_no_faces():
    """A clock is one to the strict landmark model, but not in a mirror; a lever's mask is vague."""
    seen = list(empty.views(93))
    with Unmasker(mode="image") as unmasker:
        for number in (86, 92):
            assert not unmasker(next(seen[number].frames(1))).faces
