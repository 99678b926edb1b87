"""The parts of a frame's budget add up, and two runs are shown beside each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.speed import frame_budget
from inpaint_model import UserError
from realtime.demo.clip import CameraPath, DemoClip


def test_budget_parts_add_up_to_the_whole(tmp_path: Path, monkeypatch):
    short = CameraPath(side=256, seconds=0.12)
    monkeypatch.setattr(frame_budget, "DemoClip", lambda: DemoClip(path=short))
    earlier = tmp_path / "earlier.json"
    earlier.write_text('{"rows": [{"what": "unmask video", "a frame": 12.5}]}')
    rows = frame_budget.run(rounds=1, compare=earlier)
    figures = {str(row["what"]): float(row["a frame"]) for row in rows}
    assert [row["before"] for row in rows[:2]] == [12.5, ""]
    parts = [
        ms
        for what, ms in figures.items()
        if what.startswith(("codec:", "conversion:", "network:", "glue:", "once"))
    ]
    whole = figures["CPU of unmask video"]
    assert sum(parts) + figures["hand-overs"] == pytest.approx(whole, abs=0.05)
    networks = [what for what in figures if what.startswith("network:")]
    assert {"generator", "segmenter", "face_detector"} <= {
        what.split()[1][:-1] for what in networks
    }
    assert all(ms >= 0 for ms in parts)
    assert 0 < figures["ratio of the two"] < 1
    assert 0 < figures["time under the lock"] < 100


def test_budget_refuses_a_file_that_is_none(tmp_path: Path):
    other = tmp_path / "other.json"
    other.write_text("[]")
    with pytest.raises(UserError, match=r"other\.json is no budget"):
        frame_budget.run(compare=other)
