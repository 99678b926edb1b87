"""Whatever stops the program, no file of the user's is lost and no half file has a final name."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from inpaint_model.errors import UserError
from realtime.media.atomic_file import hidden_path
from realtime.media.frames import Progress, Span
from realtime.media.reader import VideoReader
from realtime.media.segment_store import EncodedFrame, Segment, SegmentStore, store_path
from realtime.video.file import VideoOptions, unmask_video
from tests.realtime.making_media import StubUnmasker, moving_images, write_video
from tests.realtime.making_sources import read_facts

FRAMES = 60
QUICK = VideoOptions(segment_frames=10)
RESUME = VideoOptions(segment_frames=10, resume=True)


@pytest.fixture(scope="module")
def coded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    steps = [500 + 37 * (n % 7) for n in range(FRAMES)]
    path = tmp_path_factory.mktemp("coded") / "in.mp4"
    return write_video(path, moving_images(FRAMES, (320, 240)), steps=steps, sound_s=1.0)


@pytest.fixture
def source(coded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(coded, tmp_path))


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class Interrupting(StubUnmasker):
    """Presses Ctrl-C at a frame."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self._at = at

    def __call__(self, frame_bgr):
        if self.seen == self._at:
            raise KeyboardInterrupt
        return super().__call__(frame_bgr)


@pytest.mark.parametrize("at", [3, 25, 59])
def test_resume_goes_on_where_it_stopped(source: Path, tmp_path: Path, at: int) -> None:
    target = tmp_path / "out.mp4"
    with pytest.raises(KeyboardInterrupt):
        unmask_video(source, target, Interrupting(at), RESUME)
    assert not target.exists()
    second = StubUnmasker()
    records: list[str] = []
    report = unmask_video(source, target, second, RESUME, on_record=records.append)
    assert [json.loads(record)["frame_index"] for record in records] == list(range(FRAMES))
    before, after = read_facts(source), read_facts(target)
    assert after.shown_s == before.shown_s
    assert after.end_s == before.end_s
    assert after.others == before.others
    assert (report.frames, report.masked_faces) == (FRAMES, FRAMES)
    assert report.dropped_frames == 0
    assert second.seen <= FRAMES - at // 10 * 10 + 10
    if at >= 25:
        assert second.seen < FRAMES
        assert any("resumed after" in warning for warning in report.warnings)
    assert _names(tmp_path) == ["in.mp4", "out.mp4"]


def test_ctrl_c_without_resume_leaves_nothing(source: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        unmask_video(source, tmp_path / "out.mp4", Interrupting(25), QUICK)
    assert _names(tmp_path) == ["in.mp4"]


@pytest.mark.parametrize("network", ["generator", "segmenter", "face_landmarker"])
def test_resume_refuses_what_another_network_made(
    source: Path, tmp_path: Path, network: str
) -> None:
    target = tmp_path / "out.mp4"
    with pytest.raises(KeyboardInterrupt):
        unmask_video(source, target, Interrupting(25), RESUME)
    other = StubUnmasker()
    other.artefacts = replace(other.artefacts, **{network: "f" * 64})
    with pytest.raises(UserError, match="other options"):
        unmask_video(source, target, other, RESUME)


def test_resume_refuses_what_belongs_to_another_job(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    with pytest.raises(KeyboardInterrupt):
        unmask_video(source, target, Interrupting(25), RESUME)
    other = VideoOptions(segment_frames=10, resume=True, badge=True)
    with pytest.raises(UserError, match="other options"):
        unmask_video(source, target, StubUnmasker(), other)
    report = unmask_video(source, target, StubUnmasker(), QUICK)
    assert any("discarded" in warning for warning in report.warnings)
    assert _names(tmp_path) == ["in.mp4", "out.mp4"]


PROGRAM = """
import sys, time
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from tests.realtime.making_media import StubUnmasker
from realtime.video.file import VideoOptions, unmask_video
class Slow(StubUnmasker):
    def __call__(self, frame):
        time.sleep(0.02)
        return super().__call__(frame)
unmask_video(Path(sys.argv[2]), Path(sys.argv[3]), Slow(),
             VideoOptions(segment_frames=10, overwrite=True, resume=True))
"""


def _start(source: Path, target: Path, **more: object) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-c",
        PROGRAM,
        str(Path(__file__).parents[3]),
        str(source),
        str(target),
    ]
    return subprocess.Popen(command, stderr=subprocess.PIPE, **more)  # pyright: ignore


def test_kill_9_leaves_no_half_file_and_resumes(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    target.write_text("earlier")
    process = _start(source, target)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        if store_path(target).exists() and store_path(target).stat().st_size > 60_000:
            break
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert target.read_text() == "earlier"
    hidden_path(target, "killed while it wrote.part").touch()
    options = VideoOptions(segment_frames=10, overwrite=True, resume=True)
    unmask_video(source, target, StubUnmasker(), options)
    assert read_facts(target).shown_s == read_facts(source).shown_s
    assert read_facts(target).others == read_facts(source).others
    assert _names(tmp_path) == ["in.mp4", "out.mp4"]


def test_full_disk_is_one_line_and_keeps_the_earlier_output(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    target.write_text("earlier")

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))

    process = _start(source, target, preexec_fn=limit)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 1
    assert b"UserError" in error
    assert b"cannot be written" in error
    assert target.read_text() == "earlier"


def test_store_second_program_for_a_target_is_refused(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    program = (
        "import sys, time\nfrom pathlib import Path\n"
        "from realtime.media.segment_store import SegmentStore\n"
        "store = SegmentStore(Path(sys.argv[1]))\nprint('open', flush=True)\ntime.sleep(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(target)], stdout=subprocess.PIPE, env=dict(os.environ)
    )
    assert process.stdout is not None
    process.stdout.readline()
    try:
        with pytest.raises(UserError, match="another unmask is writing it"):
            unmask_video(source, target, StubUnmasker(), QUICK)
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("planted", ["store", "journal"])
def test_store_that_is_a_link_is_refused(source: Path, tmp_path: Path, planted: str) -> None:
    victim, target = tmp_path / "victim.db", tmp_path / "out.mp4"
    with sqlite3.connect(victim) as database:
        database.execute("CREATE TABLE fact (mine TEXT)")
    before = victim.read_bytes()
    link = store_path(target)
    if planted == "journal":
        link = link.with_name(f"{link.name}-journal")
    link.symlink_to(victim)
    with pytest.raises(UserError, match=r"out\.mp4: .*is not a plain file"):
        unmask_video(source, target, StubUnmasker(), QUICK)
    assert victim.read_bytes() == before


class Meanwhile(StubUnmasker):
    """Another program makes a file at the tenth frame."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def __call__(self, frame_bgr):
        if self.seen == 10:
            self._path.write_text("theirs")
        return super().__call__(frame_bgr)


def test_target_that_appears_stays_and_the_result_too(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    with pytest.raises(UserError, match=r"is kept as .*out-2\.mp4"):
        unmask_video(source, target, Meanwhile(target), RESUME)
    assert target.read_text() == "theirs"
    assert read_facts(tmp_path / "out-2.mp4").shown_s == read_facts(source).shown_s
    assert _names(tmp_path) == ["in.mp4", "out-2.mp4", "out.mp4"]


def test_store_damaged_is_replaced(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    store_path(target).write_text("not a data base " * 100)
    unmask_video(source, target, StubUnmasker(), RESUME)
    assert _names(tmp_path) == ["in.mp4", "out.mp4"]


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE segment SET counts = '{'",
        "UPDATE segment SET counts = '[1, 2]'",
        "UPDATE segment SET counts = replace(counts, '10', 'null')",
        "UPDATE segment SET frames = 9 WHERE id = 1",
        "UPDATE segment SET frames = 'many'",
        "UPDATE segment SET last_pts = 'late'",
        "DELETE FROM packet WHERE id = 3",
        "DROP TABLE packet",
    ],
)
def test_resume_of_a_tampered_state_is_refused(
    source: Path, tmp_path: Path, tampering: str
) -> None:
    target = tmp_path / "out.mp4"
    with pytest.raises(KeyboardInterrupt):
        unmask_video(source, target, Interrupting(25), RESUME)
    state = store_path(target)
    with contextlib.closing(sqlite3.connect(state)) as database, database:
        database.execute(tampering)
    with pytest.raises(UserError, match="is damaged; run without --resume") as raised:
        unmask_video(source, target, StubUnmasker(), RESUME)
    assert "\n" not in str(raised.value)
    assert state.exists()
    assert not target.exists()


def test_store_open_segment_is_not_kept(tmp_path: Path) -> None:
    with SegmentStore(tmp_path / "out.mp4") as store:
        store.begin({"a": 1})
        store.add([EncodedFrame(0, 1, True, b"one")])
        store.close_segment(Segment(1, 0, {}))
        store.add([EncodedFrame(1, 1, False, b"two")])
    with SegmentStore(tmp_path / "out.mp4") as store:
        assert store.holds({"a": 1})
        assert not store.holds({"a": 2})
        assert [frame.data for frame in store.frames()] == [b"one"]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
def test_reader_resumed_gives_the_remaining_frames(tmp_path: Path, suffix: str) -> None:
    path = write_video(tmp_path / f"in{suffix}", moving_images(40))
    with VideoReader(path) as file:
        frames = [(f.index, f.pts, f.image_bgr.tobytes()) for f in file]
    for done in (1, 17, 39):
        with VideoReader(path) as file:
            rest = file.frames(done=Progress(done, frames[done - 1][1]))
            assert [(f.index, f.pts, f.image_bgr.tobytes()) for f in rest] == frames[done:]


def test_span_cuts_frames_and_sound_alike(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    options = VideoOptions(segment_frames=10, span=Span(0.5, 1.5))
    unmask_video(source, target, StubUnmasker(), options)
    before, after = read_facts(source), read_facts(target)
    wanted = [t for t in before.shown_s if 0.5 <= t < 1.5]
    assert after.shown_s == [t - wanted[0] for t in wanted]
    kept = [data for pts, _, data in before.others[1] if pts is not None and pts >= 0.5]
    assert [data for *_, data in after.others[1]] == kept
    assert abs(float(after.others[1][0][0] or 0)) < 0.03
    with pytest.raises(UserError, match="no frame of it between"):
        unmask_video(source, tmp_path / "no.mp4", StubUnmasker(), VideoOptions(span=Span(90.0)))
    with pytest.raises(UserError, match="later than --start"):
        unmask_video(source, tmp_path / "no.mp4", StubUnmasker(), VideoOptions(span=Span(2.0, 1.0)))


def test_damaged_stretch_is_skipped_and_reported(tmp_path: Path) -> None:
    source = write_video(tmp_path / "in.mp4", moving_images(100, (320, 240)), keyframe_every=10)
    whole = read_facts(source).shown_s
    content = bytearray(source.read_bytes())
    start, end = content.index(b"mdat") + 8, content.index(b"moov")
    middle = (start + end) // 2
    content[middle : middle + 3000] = bytes(n * 37 % 256 for n in range(3000))
    source.write_bytes(content)
    report = unmask_video(source, tmp_path / "out.mp4", StubUnmasker())
    after = read_facts(tmp_path / "out.mp4").shown_s
    assert set(after) <= set(whole)
    assert len(after) >= 75
    assert after[-1] == whole[-1]
    assert any(w.startswith("the input is damaged at 1.") or "damaged at 2." in w
               for w in report.warnings), report.warnings  # fmt: skip
