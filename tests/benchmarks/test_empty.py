"""Frames without people: repeatable, varied, and counted both as pictures and as a stream."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from benchmarks.photographs import empty
from realtime import Unmasker


def test_views_are_repeatable_and_varied():
    once, again = (list(empty.views(12, seed=4)) for _ in range(2))
    for (name, frames), (other_name, others) in zip(once, again, strict=True):
        assert name == other_name and np.array_equal(frames[0], others[0])
    assert len({name for name, _ in once}) > 3


def test_views_stream_moves():
    _, frames = next(empty.views(1, frames=3))
    assert [frame.shape for frame in frames] == [(480, 640, 3)] * 3
    assert not np.array_equal(frames[0], frames[1])


def test_empty_counts_false_faces(tmp_path: Path):
    pictures, stream = empty.run(tmp_path, "fast", "auto", count=1, seeds=2)
    assert (pictures["frames"], stream["frames"]) == (2, 2)
    assert (pictures["frames without people"], stream["frames without people"]) == (
        "pictures",
        "stream",
    )
    data = json.loads((tmp_path / "empty.json").read_text())
    for row in (pictures, stream):
        alarms = data[str(row["frames without people"])]
        assert row["a face found"] == len(alarms["a face found in"]) / 2
        assert row["a pixel changed"] == len(alarms["a pixel changed in"]) / 2


def test_unmasker_clock_and_motorcycle_are_no_faces():
    """A clock is one to the strict landmark model, but not in a mirror; a lever's mask is vague."""
    seen = list(empty.views(93))
    with Unmasker(mode="image") as unmasker:
        for number in (86, 92):
            assert not unmasker(seen[number][1][0]).faces
