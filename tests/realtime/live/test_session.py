"""The live pipeline: the newest frame wins, drops are counted, and it stops whatever happens."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import asdict
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from inpaint_model.errors import UserError
from realtime.capture import CaptureLost, Reconnecting
from realtime.frames import InpaintedFrame, SegmentedFrame, TrackedFrame, UnmaskResult
from realtime.live.choices import Key
from realtime.live.pipeline import LivePipeline
from realtime.live.session import LiveOptions, run_live
from realtime.live.sinks import SeveralSinks
from realtime.live.toasts import Toasts
from realtime.live.view import View
from realtime.media.report_file import write_report
from tests.realtime.making_live import FakeCamera, FingerSink, plugged
from tests.realtime.making_media import StubUnmasker

pytestmark = pytest.mark.usefixtures("quick_retries")
FOREVER = 1_000_000  # frames: more than any test takes


class StageStub(StubUnmasker):
    """Notes the thread of each stage.

    Args:
        fails: the stage that fails after a few frames.
        inpaint_after: inpainting waits for this.
    """

    def __init__(self, fails: str = "", inpaint_after: threading.Event | None = None) -> None:
        super().__init__()
        self._fails, self._inpaint_after = fails, inpaint_after
        self.threads: dict[str, int] = {}

    def _begin(self, name: str) -> None:
        self.threads[name] = threading.get_ident()
        if self._fails == name and self.seen > 3:
            raise RuntimeError(f"{name} fails")

    def detect_and_track(
        self, frame_bgr: NDArray[np.uint8], time_s: float | None = None, *, smooth: bool = True
    ) -> TrackedFrame:
        self._begin("detect_and_track")
        return super().detect_and_track(frame_bgr, time_s)

    def segment(self, tracked: TrackedFrame) -> SegmentedFrame:
        self._begin("segment")
        return super().segment(tracked)

    def inpaint(self, segmented: SegmentedFrame) -> InpaintedFrame:
        self._begin("inpaint")
        if self._inpaint_after is not None:
            assert self._inpaint_after.wait(60)
        return super().inpaint(segmented)

    def composite(self, inpainted: InpaintedFrame) -> UnmaskResult:
        self._begin("composite")
        return super().composite(inpainted)


def source(*cameras: FakeCamera | None) -> Reconnecting:
    return Reconnecting(plugged(*cameras), lambda _line: None)


pytestmark = pytest.mark.usefixtures("no_thread_is_left")


def frame_numbers(sink: FingerSink) -> list[int]:
    """Return the camera's numbers of the frames that were shown; it draws them as grey levels."""
    return [int(image[0, 0, 0]) for image in sink.shown]


def test_live_slow_source_shows_every_frame() -> None:
    sink = FingerSink()
    done = run_live(source(FakeCamera(20, wait=sink.wait_until_shown)), sink, StageStub())
    assert (done.frames, done.dropped_frames) == (20, 0)
    assert frame_numbers(sink) == list(range(20))
    assert done.latency_ms["p50"] <= done.latency_ms["p95"] <= done.latency_ms["p99"]


def test_live_slow_stage_drops_old_frames_and_shows_the_newest() -> None:
    camera, sink = FakeCamera(100, interval_s=0.001), FingerSink()
    done = run_live(source(camera), sink, StageStub(inpaint_after=camera.ended))
    shown = frame_numbers(sink)
    assert shown == sorted(set(shown))
    assert shown[-1] == 99
    assert done.frames == len(shown) <= 3  # one in each stage, and the newest one
    assert done.frames + done.dropped_frames == 100
    assert done.dropped["before the unmasker"] >= 97


def test_live_stages_run_in_two_threads_beside_the_caller() -> None:
    unmasker = StageStub()
    run_live(source(FakeCamera(10)), FingerSink(), unmasker)
    threads = unmasker.threads
    assert threads["detect_and_track"] == threads["segment"] != threads["inpaint"]
    assert threads["inpaint"] == threads["composite"] != threading.get_ident()


@pytest.mark.parametrize("stage", ["detect_and_track", "segment", "inpaint", "composite"])
def test_live_failing_stage_ends_the_run_with_its_error(stage: str) -> None:
    unmasker = StageStub(fails=stage)
    with pytest.raises(RuntimeError, match=f"{stage} fails"):
        run_live(source(FakeCamera(FOREVER)), FingerSink(), unmasker)


def test_live_failing_source_ends_the_run_with_its_error() -> None:
    with pytest.raises(UserError, match="is damaged"):
        run_live(source(FakeCamera(8, UserError("is damaged"))), FingerSink(), StageStub())


def test_live_failing_sink_ends_the_run_with_its_error() -> None:
    with pytest.raises(OSError, match="no screen"):
        run_live(source(FakeCamera(FOREVER)), FingerSink(raises=OSError("no screen")), StageStub())


def test_live_quit_key_ends_the_run() -> None:
    sink = FingerSink({4: Key.QUIT})
    assert run_live(source(FakeCamera(FOREVER)), sink, StageStub()).frames == 4


def test_live_ctrl_c_ends_the_run() -> None:
    sink = FingerSink(raises=KeyboardInterrupt())
    assert run_live(source(FakeCamera(FOREVER)), sink, StageStub()).frames == 4


def test_live_seconds_end_the_run() -> None:
    options = LiveOptions(seconds=0.3)
    done = run_live(source(FakeCamera(FOREVER)), FingerSink(), StageStub(), options)
    assert done.seconds >= 0.3


def test_live_quit_does_not_wait_for_a_lost_camera() -> None:
    class Impatient(FingerSink):
        def poll(self) -> Key | None:
            return Key.QUIT if len(self.shown) >= 4 else None

    sink, returning = Impatient(), FakeCamera(5)
    camera = FakeCamera(5, CaptureLost("unplugged"), wait=sink.wait_until_shown)
    done = run_live(source(camera, *[None] * 100, returning), sink, StageStub())
    assert done.frames in (4, 5)
    assert returning.given == 0  # nobody waited until it was there


def test_live_camera_that_comes_back_goes_on() -> None:
    cameras = FakeCamera(10, CaptureLost("unplugged")), None, FakeCamera(10)
    done = run_live(source(*cameras), FingerSink(), StageStub())
    assert (done.frames + done.dropped_frames, done.losses) == (20, 1)


def test_live_keys_change_what_is_shown() -> None:
    keys = {5: Key.UNMASKING, 10: Key.SIDE_BY_SIDE, 15: Key.UNMASKING, 20: Key.BOXES, 40: Key.QUIT}
    sink = FingerSink(keys)
    run_live(source(FakeCamera(FOREVER)), sink, StageStub())
    painted = [bool((image[-1, 0] == (40, 80, 160)).all()) for image in sink.shown]
    assert painted[:4] == [True] * 4
    assert painted[6:9] == [False] * 3
    assert sink.shown[12].shape == (48, 128, 3)
    assert not (sink.shown[12][-1, 64] == (40, 80, 160)).all()
    assert (sink.shown[18][-1, 64] == (40, 80, 160)).all()
    assert len(np.unique(sink.shown[30][:, 64:].reshape(-1, 3), axis=0)) > 2


def recorded_and_dropped(line: str, recording: Path) -> tuple[int, int]:
    """Return how many frames a recording holds, and how many the program says it dropped."""
    assert line.startswith(f"recording saved: {recording}")
    dropped = re.search(r"(\d+) frames dropped", line)
    with av.open(str(recording)) as file:
        frames = sum(1 for _ in file.decode(video=0))
    return frames, int(dropped[1]) if dropped else 0


def test_live_picture_and_recording_carry_the_tag(tmp_path: Path) -> None:
    told: list[str] = []
    keys = {5: Key.RECORD, 8: Key.SNAPSHOT, 30: Key.RECORD, 35: Key.QUIT}
    run_live(
        source(FakeCamera(FOREVER, interval_s=0.02)),
        FingerSink(keys),
        StageStub(),
        LiveOptions(out=tmp_path),
        Toasts(told.append),
    )
    (picture,), (recording,) = tmp_path.glob("*.png"), tmp_path.glob("*.mp4")
    assert told[0] == f"picture saved: {picture}"
    assert sum(recorded_and_dropped(told[1], recording)) == 23  # of 25, the keys redrew two
    assert b"synthetic" in picture.read_bytes()
    with av.open(str(recording)) as file:
        assert "synthetic" in file.metadata["comment"]
        times_s = [frame.time for frame in file.decode(video=0) if frame.time is not None]
    intervals = np.diff(times_s) / 0.02
    assert (np.round(intervals) >= 1).all()
    assert intervals == pytest.approx(np.round(intervals), abs=1e-3)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".mp4", ".png"]


@pytest.mark.parametrize("unmasker", [StageStub(), StubUnmasker(paints=False)])
def test_live_files_without_a_filled_face_carry_no_tag(
    tmp_path: Path, unmasker: StubUnmasker
) -> None:
    """Either unmasking is off, or nobody wears a mask."""
    view = View(unmasked=not isinstance(unmasker, StageStub))
    sink = FingerSink({3: Key.SNAPSHOT, 8: Key.QUIT})
    options = LiveOptions(out=tmp_path, record=True, view=view)
    run_live(source(FakeCamera(FOREVER)), sink, unmasker, options)
    (picture,), (recording,) = tmp_path.glob("*.png"), tmp_path.glob("*.mp4")
    for path in (picture, recording):
        assert b"synthetic" not in path.read_bytes()
    with av.open(str(recording)) as file:
        assert "comment" not in file.metadata
        assert sum(1 for _ in file.decode(video=0)) > 0


def test_live_recording_with_some_filled_faces_carries_the_tag(tmp_path: Path) -> None:
    keys = {5: Key.UNMASKING, 12: Key.UNMASKING, 18: Key.QUIT}
    options = LiveOptions(out=tmp_path, record=True, view=View(unmasked=False))
    camera = FakeCamera(FOREVER, interval_s=0.02)
    run_live(source(camera), FingerSink(keys), StageStub(), options)
    (recording,) = tmp_path.glob("*.mp4")
    with av.open(str(recording)) as file:
        assert "synthetic" in file.metadata["comment"]


def test_live_ctrl_c_finishes_the_recording(tmp_path: Path) -> None:
    told: list[str] = []
    options = LiveOptions(out=tmp_path, record=True, view=View(boxes=True))
    sink = FingerSink(raises=KeyboardInterrupt())
    run_live(source(FakeCamera(FOREVER)), sink, StageStub(), options, Toasts(told.append))
    (recording,) = tmp_path.iterdir()
    assert sum(recorded_and_dropped(told[-1], recording)) == 4


def test_live_folder_that_cannot_be_written_is_a_warning(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    keys = {3: Key.SNAPSHOT, 6: Key.RECORD, 20: Key.QUIT}
    done = run_live(
        source(FakeCamera(FOREVER)), FingerSink(keys), StageStub(), LiveOptions(out=gone)
    )
    assert any("cannot be written" in warning for warning in done.warnings)


def test_live_recording_that_was_asked_for_is_not_lost_silently(tmp_path: Path) -> None:
    options = LiveOptions(out=tmp_path / "gone", record=True)
    done = run_live(source(FakeCamera(20)), FingerSink(), StageStub(), options)
    assert "gone: cannot be written" in done.recording_error


def test_live_report_has_latencies_and_every_dropped_frame(tmp_path: Path) -> None:
    path, records = tmp_path / "report.json", list[str]()
    options = LiveOptions(on_record=records.append)
    done = run_live(source(FakeCamera(30)), FingerSink(), StageStub(), options)
    write_report(path, asdict(done), records)
    report = json.loads(path.read_text())
    assert len(report["face_records"]) == report["faces"] > 0
    first = report["face_records"][0]["frame_index"]
    for record in report["face_records"]:
        assert record["pts_s"] == pytest.approx((record["frame_index"] - first) * 0.01, abs=1e-6)
    assert list(report["latency_ms"]) == ["p50", "p95", "p99"]
    assert list(report["stages"]) == ["detect_and_track", "show"]
    assert sum(report["dropped"].values()) == report["dropped_frames"]
    assert report["camera_fps"] == pytest.approx(100)
    assert any("frames dropped" in line for line in done.lines())


def test_live_pipeline_left_at_once_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    with LivePipeline(source(FakeCamera(FOREVER)), StageStub()):
        assert set(threading.enumerate()) - before
    assert not set(threading.enumerate()) - before


def test_live_next_camera_key_asks_for_it() -> None:
    asked: list[bool] = []
    sink = FingerSink({3: Key.NEXT_CAMERA, 10: Key.QUIT})
    sink.interactive = True
    options = LiveOptions(next_camera=lambda: asked.append(True))
    run_live(source(FakeCamera(FOREVER)), sink, StageStub(), options)
    assert asked == [True]
    assert sink.previews[-1].status.messages == ("changing the camera …",)


def test_live_next_camera_key_for_a_file_says_there_is_none() -> None:
    sink = FingerSink({3: Key.NEXT_CAMERA, 10: Key.QUIT})
    sink.interactive = True
    run_live(source(FakeCamera(FOREVER)), sink, StageStub())
    assert sink.previews[-1].status.messages == ("there is no other camera",)


def test_live_camera_of_another_size_is_recorded_in_another_file(tmp_path: Path) -> None:
    cameras = FakeCamera(8, CaptureLost("unplugged")), FakeCamera(8, size=(96, 80))
    told: list[str] = []
    options = LiveOptions(out=tmp_path, record=True)
    sink = FingerSink()
    run_live(source(*cameras), sink, StageStub(), options, Toasts(told.append))
    sizes = []
    for path in sorted(tmp_path.iterdir()):
        with av.open(str(path)) as file:
            sizes.append((file.streams.video[0].width, file.streams.video[0].height))
    assert sorted(sizes) == [(64, 48), (96, 80)]
    assert sum("recording saved: " in line for line in told) == 2


def test_live_window_says_what_the_run_does(tmp_path: Path) -> None:
    keys = {5: Key.RECORD, 10: Key.SNAPSHOT, 15: Key.WEAKER, 30: Key.QUIT}
    sink = FingerSink(keys)
    sink.interactive = True
    camera = FakeCamera(FOREVER, interval_s=0.02)
    run_live(source(camera), sink, StageStub(), LiveOptions(out=tmp_path))
    statuses = [preview.status for preview in sink.previews]
    assert {status.recording for status in statuses[:5]} == {""}
    assert {status.recording for status in statuses[5:]} == {"REC 0:00"}
    (picture,) = tmp_path.glob("*.png")
    assert statuses[-1].messages == (f"picture saved: {picture}", "strength 90%")
    assert len({status.figures for status in statuses}) <= 3  # they change twice a second


def test_live_lost_camera_is_said_without_new_frames() -> None:
    class Watching(FingerSink):
        def poll(self) -> Key | None:
            return Key.QUIT if any("waiting" in line for line in self.lines()) else None

        def lines(self) -> tuple[str, ...]:
            return self.previews[-1].status.messages if self.previews else ()

    sink = Watching()
    sink.interactive = True
    camera = FakeCamera(3, CaptureLost("unplugged"))
    toasts = Toasts()
    lossy = Reconnecting(plugged(camera, *[None] * 100), toasts)
    run_live(lossy, sink, StageStub(), toasts=toasts)
    assert sink.lines() == ("0: Fake (/dev/video0): unplugged; waiting for it to come back",)


def test_several_sinks_show_each_frame_and_obey_each_key() -> None:
    window, other = FingerSink({4: Key.QUIT}), FingerSink()
    window.interactive = True
    both = SeveralSinks([other, window])
    done = run_live(source(FakeCamera(FOREVER)), both, StageStub())
    assert (done.frames, len(window.shown)) == (4, 4)
    assert [a is b for a, b in zip(window.previews, other.previews, strict=True)] == [True] * 4
    assert (both.interactive, done.sink) == (True, "fingers + fingers")
