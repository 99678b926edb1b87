"""The live pipeline: the newest frame wins, drops are counted, and it stops whatever happens."""

from __future__ import annotations

import json
import threading
import time
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
from realtime.live.view import View
from tests.realtime.making_live import FakeCamera, FingerSink, plugged
from tests.realtime.making_media import StubUnmasker


class SlowStub(StubUnmasker):
    """Takes time in two of its steps; one may fail after a few frames."""

    def __init__(self, track_s: float = 0.0, inpaint_s: float = 0.0, fails: str = "") -> None:
        super().__init__()
        self._track_s, self._inpaint_s, self._fails = track_s, inpaint_s, fails
        self.threads: dict[str, int] = {}

    def _step(self, name: str) -> None:
        self.threads[name] = threading.get_ident()
        if self._fails == name and self.seen > 3:
            raise RuntimeError(f"{name} fails")

    def detect_and_track(
        self, frame_bgr: NDArray[np.uint8], time_s: float | None = None, *, smooth: bool = True
    ) -> TrackedFrame:
        self._step("detect_and_track")
        time.sleep(self._track_s)
        return super().detect_and_track(frame_bgr, time_s)

    def segment(self, tracked: TrackedFrame) -> SegmentedFrame:
        self._step("segment")
        return super().segment(tracked)

    def inpaint(self, segmented: SegmentedFrame) -> InpaintedFrame:
        self._step("inpaint")
        time.sleep(self._inpaint_s)
        return super().inpaint(segmented)

    def composite(self, inpainted: InpaintedFrame) -> UnmaskResult:
        self._step("composite")
        return super().composite(inpainted)


def source(*cameras: FakeCamera | None) -> Reconnecting:
    return Reconnecting(plugged(*cameras), lambda _line: None)


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = threading.active_count()
    yield
    assert threading.active_count() == before


def test_every_frame_of_a_calm_source_is_shown() -> None:
    sink = FingerSink()
    done = run_live(source(FakeCamera(20)), sink, SlowStub())
    assert (done.frames, done.dropped_frames, len(sink.shown)) == (20, 0, 20)
    assert done.latency_ms["p50"] <= done.latency_ms["p95"] <= done.latency_ms["p99"] < 1000


def test_a_slow_stage_drops_frames_and_counts_them_and_does_not_lag() -> None:
    unmasker = SlowStub(track_s=0.02, inpaint_s=0.04)
    done = run_live(source(FakeCamera(100, interval_s=0.005)), FingerSink(), unmasker)
    assert 5 <= done.frames < 40
    assert done.frames + done.dropped_frames == 100
    assert done.dropped["before the unmasker"] > 50
    assert done.latency_ms["p95"] < 250
    threads = unmasker.threads
    assert threads["detect_and_track"] == threads["segment"] != threads["inpaint"]
    assert threads["inpaint"] == threads["composite"] != threading.get_ident()


@pytest.mark.parametrize("stage", ["detect_and_track", "segment", "inpaint", "composite"])
def test_a_stage_that_fails_stops_all_with_its_message(stage: str) -> None:
    unmasker = SlowStub(fails=stage)
    with pytest.raises(RuntimeError, match=f"{stage} fails"):
        run_live(source(FakeCamera(1000)), FingerSink(), unmasker)


def test_a_source_that_fails_stops_all_with_its_message() -> None:
    with pytest.raises(UserError, match="is damaged"):
        run_live(source(FakeCamera(8, UserError("is damaged"))), FingerSink(), SlowStub())


def test_a_sink_that_fails_stops_all_with_its_message() -> None:
    with pytest.raises(OSError, match="no screen"):
        run_live(source(FakeCamera(1000)), FingerSink(raises=OSError("no screen")), SlowStub())


def test_q_and_ctrl_c_and_the_time_end_a_run() -> None:
    quits = run_live(source(FakeCamera(1000)), FingerSink({4: Key.QUIT}), SlowStub())
    assert 4 <= quits.frames < 20
    sink = FingerSink(raises=KeyboardInterrupt())
    assert 4 <= run_live(source(FakeCamera(1000)), sink, SlowStub()).frames < 20
    timed = run_live(source(FakeCamera(1000)), FingerSink(), SlowStub(), LiveOptions(seconds=0.3))
    assert timed.seconds >= 0.3
    assert timed.frames < 1000


def test_quitting_does_not_wait_for_a_lost_camera() -> None:
    class Impatient(FingerSink):
        def poll(self) -> Key | None:
            return Key.QUIT if len(self.shown) >= 4 else None

    camera = FakeCamera(5, CaptureLost("unplugged"))
    returning = FakeCamera(5)
    done = run_live(source(camera, *[None] * 100, returning), Impatient(), SlowStub())
    assert done.frames <= 5
    assert returning._next == 0  # nobody waited until it was there


def test_a_camera_that_comes_back_goes_on() -> None:
    cameras = FakeCamera(10, CaptureLost("unplugged")), None, FakeCamera(10)
    done = run_live(source(*cameras), FingerSink(), SlowStub())
    assert (done.frames + done.dropped_frames, done.losses) == (20, 1)


def test_keys_change_what_is_shown() -> None:
    keys = {5: Key.TOGGLE, 10: Key.SIDE_BY_SIDE, 15: Key.TOGGLE, 20: Key.BOXES, 40: Key.QUIT}
    sink = FingerSink(keys)
    run_live(source(FakeCamera(200)), sink, SlowStub())
    painted = [bool((image[-1, 0] == (40, 80, 160)).all()) for image in sink.shown]
    assert painted[:4] == [True] * 4
    assert painted[6:9] == [False] * 3
    assert sink.shown[12].shape == (48, 128, 3)
    assert not (sink.shown[12][-1, 64] == (40, 80, 160)).all()
    assert (sink.shown[18][-1, 64] == (40, 80, 160)).all()
    assert len(np.unique(sink.shown[30][:, 64:].reshape(-1, 3), axis=0)) > 2


def test_a_picture_and_a_recording_are_saved_with_their_tag(tmp_path: Path) -> None:
    told: list[str] = []
    keys = {5: Key.RECORD, 8: Key.SNAPSHOT, 30: Key.RECORD, 35: Key.QUIT}
    run_live(
        source(FakeCamera(200, interval_s=0.02)),
        FingerSink(keys),
        SlowStub(),
        LiveOptions(out=tmp_path),
        told.append,
    )
    (picture,), (recording,) = tmp_path.glob("*.png"), tmp_path.glob("*.mp4")
    assert told == [f"picture: {picture}", f"recording: {recording}"]
    assert b"synthetic" in picture.read_bytes()
    with av.open(str(recording)) as file:
        assert "synthetic" in file.metadata["comment"]
        times = [frame.time for frame in file.decode(video=0) if frame.time is not None]
    assert 15 < len(times) <= 30
    assert times[-1] - times[0] == pytest.approx(0.5, abs=0.25)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".mp4", ".png"]


def test_ctrl_c_finishes_a_recording(tmp_path: Path) -> None:
    options = LiveOptions(out=tmp_path, record=True, view=View(boxes=True))
    sink = FingerSink(raises=KeyboardInterrupt())
    run_live(source(FakeCamera(1000)), sink, SlowStub(), options)
    (recording,) = tmp_path.iterdir()
    with av.open(str(recording)) as file:
        assert sum(1 for _ in file.decode(video=0)) >= 3


def test_a_folder_that_cannot_be_written_is_a_note(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    keys = {3: Key.SNAPSHOT, 6: Key.RECORD, 20: Key.QUIT}
    done = run_live(source(FakeCamera(200)), FingerSink(keys), SlowStub(), LiveOptions(out=gone))
    assert any("cannot be written" in warning for warning in done.warnings)


def test_the_report_has_the_delays_and_every_drop(tmp_path: Path) -> None:
    done = run_live(source(FakeCamera(30)), FingerSink(), SlowStub())
    done.write(tmp_path / "report.json")
    report = json.loads((tmp_path / "report.json").read_text())
    assert list(report["latency_ms"]) == ["p50", "p95", "p99"]
    assert list(report["stages"]) == ["detect_and_track", "show"]
    assert sum(report["dropped"].values()) == report["dropped_frames"]
    assert report["camera_fps"] > 20
    assert any("left out" in line for line in done.lines())


def test_a_pipeline_that_is_left_at_once_leaves_no_thread() -> None:
    before = threading.active_count()
    with LivePipeline(source(FakeCamera(1000)), SlowStub()):
        assert threading.active_count() > before
    assert threading.active_count() == before
