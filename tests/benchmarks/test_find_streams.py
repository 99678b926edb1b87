"""Videos of the finding benchmark: marked faces, tracks over time, crops that slip, and the cost."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.finding import bare, cost, group, real, slip
from benchmarks.finding.faces import load_faces
from benchmarks.finding.matching import Seen
from benchmarks.finding.options import FindOptions
from benchmarks.finding.streams import VideoRun, read_marks
from inpaint_model.errors import UserError
from realtime.demo.clip import CameraPath, DemoClip
from realtime.media.clip import write_clip

FPS, FRAMES = 25, 30


@pytest.fixture(scope="module")
def clip() -> DemoClip:
    return DemoClip(path=CameraPath(side=256, fps=FPS, seconds=FRAMES / FPS, zoom=(0.9, 1.0)))


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory, clip: DemoClip) -> Path:
    """A masked clip with its face marked in frame 20, beside a wall that is no face."""
    folder = tmp_path_factory.mktemp("marked")
    write_clip(folder / "one.mp4", clip.masked_bgr(), FPS)
    points = clip.landmarks(20)
    box = [*points.min(0), *points.max(0)]
    boxes = {"one": {"20": [box, [0, 200, 40, 240], [0, 0, 9, 9]], "25": []}}
    (folder / "marked.json").write_text(json.dumps(boxes))
    return folder / "marked.json"


def frames(*states: str) -> VideoRun:
    """A video of 10 frames/s: F is a frame with a filled face, b with a bare one, . with none."""
    eyes = np.array([[40.0, 50.0], [80.0, 50.0]])
    one = VideoRun(Path("one.mp4"), 10.0)
    for state in "".join(states):
        face = Seen(3, (20.0, 20.0, 100.0, 110.0), eyes, state == "F")
        one.faces.append([] if state == "." else [face])
        one.replaced.append(0.25 * (state == "F"))
    return one


def test_track_records_first_half_second_is_free():
    (record,) = real.track_records(frames("bbbbb", "F" * 20), {})
    assert (record.frames, record.filled, record.switches) == (20, 20, 0)
    assert (record.frames_on, record.filled_on, record.seconds) == (20, 20, 2.0)


def test_track_records_gaps_count_up_to_a_second():
    (short,) = real.track_records(frames("F" * 10, "....", "F" * 6), {})
    assert (short.frames, short.filled, short.switches) == (15, 11, 2)
    (long,) = real.track_records(frames("F" * 10, "." * 11, "F" * 6), {})
    assert (long.frames, long.filled, long.switches) == (11, 11, 0)


def test_track_records_bare_face_counts_where_marked():
    run = frames("b" * 10)
    assert real.track_records(run, {}) == []
    (record,) = real.track_records(run, {4: [(0.0, 0.0, 200.0, 200.0)]})
    assert (record.frames, record.filled) == (5, 0)


def test_real_counts_marked_faces_of_32_px(tmp_path: Path, marked: Path):
    one, every = real.run(FindOptions(marked=marked, out=tmp_path))
    assert (one["marked"], one["marked found"], one["marked filled"]) == (2, 1, 1)
    assert 0.01 < float(one["most replaced"]) < 0.3
    assert every == {**one, "video": "all"}
    data = json.loads((tmp_path / "find-real.json").read_text())
    assert [face["filled"] for face in data["marked"]] == [True, False]
    assert (tmp_path / "real-one.mp4").is_file()


def test_slip_of_a_steady_face_is_none(tmp_path: Path, marked: Path):
    *_, every = slip.run(FindOptions(marked=marked, every=10, out=tmp_path))
    assert (every["filled as picture"], every["compared"], every["right"]) == (3, 3, 1.0)


def test_bare_video_is_not_changed(tmp_path: Path, clip: DemoClip):
    truths = (np.ascontiguousarray(clip.truth_rgb(n)[:, :, ::-1]) for n in range(10))
    write_clip(tmp_path / "bare.mp4", truths, FPS)
    one, every = bare.run(FindOptions(bare=[tmp_path / "bare.mp4"]))
    assert one == {"video": "bare", "frames": 10, "frames changed": 0, "faces found": 10}
    assert every == {**one, "video": "all"}


def test_read_marks_refuses_what_is_none(tmp_path: Path):
    (tmp_path / "bad.json").write_text('{"one": {"4": [[1, 2, 3]]}}')
    with pytest.raises(UserError, match=r"bad\.json: not a file of marked boxes"):
        read_marks(tmp_path / "bad.json")
    (tmp_path / "alone.json").write_text('{"one": {"4": []}}')
    with pytest.raises(UserError, match="no such video beside"):
        read_marks(tmp_path / "alone.json")


def test_group_puts_each_face_in_its_cell():
    frame = np.zeros((group.SIZE[1], group.SIZE[0], 3), np.uint8)
    faces = load_faces(FindOptions(), 1) * 12
    eyes = group.draw(frame, faces, np.full(12, 100.0), 40)
    cells = [(int(x) // 480, int(y) // 360) for x, y in (pair.mean(0) for pair in eyes)]
    assert cells == [(column, row) for row in range(3) for column in range(4)]


def test_group_row_agrees_with_its_details(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(group, "SIZE", (960, 540))
    monkeypatch.setattr(group, "_WIDTHS_PX", (60, 90))
    (row,) = group.run(FindOptions(count=2, out=tmp_path))
    faces = json.loads((tmp_path / "find-group.json").read_text())["faces"]
    assert len(faces) == row["faces"] == 12
    assert row["share found"] == pytest.approx(np.mean([face["found"] for face in faces]))


def test_frame_cost_counts_fills_and_cpu(clip: DemoClip):
    loop = list(clip.masked_bgr())[:4]
    row = cost.frame_cost(FindOptions(count=3), loop, "video", (320, 240), 1)
    assert row["filled"] == 1.0
    assert float(row["CPU a frame, ms"]) > 0


def test_new_face_is_found_on_the_right(clip: DemoClip):
    loop = list(clip.masked_bgr())[:4]
    row = cost.new_face(FindOptions(), loop, "video", (640, 320), 1)
    assert (row["trials"], row["found"]) == (1, 1)
