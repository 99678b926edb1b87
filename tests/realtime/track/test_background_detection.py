"""Looking for faces beside: frames go on meanwhile, what is found is moved to where it is by then."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.frames import Face
from realtime.track.background_detection import BackgroundDetector
from tests.realtime.making_faces import open_tracker

Picture = NDArray[np.uint8]


def shifted(image_rgb: Picture, right: float, down: float) -> tuple[Picture, Picture]:
    """The picture moved, RGB and grey."""
    move = np.array([[1.0, 0, right], [0, 1.0, down]])
    rgb = cv2.warpAffine(image_rgb, move, image_rgb.shape[1::-1]).astype(np.uint8)
    return rgb, np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


class Finding:
    """Finds the faces it is given, when it is told to."""

    def __init__(self, faces: list[Face]) -> None:
        self.faces, self.may_end = faces, threading.Event()
        self.error: Exception | None = None

    def __call__(self, _: Picture) -> list[Face]:
        assert self.may_end.wait(10)
        if self.error is not None:
            raise self.error
        return self.faces


@pytest.fixture
def finding(astronaut_face: Face) -> Finding:
    return Finding([astronaut_face])


@pytest.fixture
def background(finding: Finding) -> Iterator[BackgroundDetector]:
    background = BackgroundDetector(finding)
    yield background
    finding.may_end.set()
    background.close()


def wait_for(background: BackgroundDetector, grey: Picture) -> list[Face]:
    for _ in range(1000):
        found = background.take(grey)
        if found is not None:
            return found
        threading.Event().wait(0.01)
    raise AssertionError("nothing was found in ten seconds")


def test_take_moves_the_detection_to_the_present(
    background, finding, astronaut_rgb, astronaut_face: Face
):
    background.begin(*shifted(astronaut_rgb, 0, 0))
    _, later = shifted(astronaut_rgb, 6, -4)
    assert background.take(later) is None
    assert background.is_busy
    finding.may_end.set()
    (face,) = wait_for(background, later)
    assert face.keypoints == pytest.approx(astronaut_face.keypoints + np.array([6, -4]), abs=0.7)
    assert not background.is_busy
    assert background.take(later) is None


def test_take_face_lost_by_flow_stays_where_detected(
    background, finding, astronaut_rgb, astronaut_face: Face
):
    finding.may_end.set()
    background.begin(*shifted(astronaut_rgb, 0, 0))
    noise = np.random.default_rng(0).integers(0, 255, (512, 512), dtype=np.uint8)
    assert wait_for(background, noise) == [astronaut_face]


def test_take_raises_the_error_unless_discarded(background, finding, astronaut_rgb):
    rgb, grey = shifted(astronaut_rgb, 0, 0)
    finding.error = RuntimeError("no model")
    finding.may_end.set()
    background.begin(rgb, grey)
    background.discard()
    assert background.take(grey) is None
    background.begin(rgb, grey)
    with pytest.raises(RuntimeError, match="no model"):
        wait_for(background, grey)


def test_background_detector_close_leaves_no_thread(astronaut_rgb, finding):
    finding.may_end.set()
    before = threading.active_count()
    background = BackgroundDetector(finding)
    background.begin(*shifted(astronaut_rgb, 0, 0))
    assert threading.active_count() == before + 1
    background.close()
    assert threading.active_count() == before


def test_tracker_background_follows_face_and_scene_cut(astronaut_rgb):
    with (
        open_tracker(1, detect_every_n=True, background=True) as live,
        open_tracker(1) as thorough,
    ):
        for step in range(24):
            frame, _ = shifted(astronaut_rgb, 2.0 * step, 1.0 * step)
            (one,), (other,) = live(frame), thorough(frame)
            assert one.track_id == other.track_id == 0
            assert one.face.keypoints[:2] == pytest.approx(other.face.keypoints[:2], abs=2.5)
        last, _ = shifted(astronaut_rgb, 46, 23)
        mirrored = np.ascontiguousarray(last[:, ::-1])
        for _ in range(3):  # MediaPipe first looks where the face was before the cut
            live(mirrored)
        (one,) = live(mirrored)
        assert one.face.centre[0] == pytest.approx(511 - 46 - 223, abs=12)


def test_background_detector_now_discards_the_pending_one(background, finding, astronaut_rgb):
    rgb, grey = shifted(astronaut_rgb, 0, 0)
    finding.may_end.set()
    background.begin(rgb, grey)
    assert background.now(rgb) == finding.faces
    assert not background.is_busy


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has priorities of threads")
def test_background_detector_thread_has_lower_priority(astronaut_rgb):
    niceness = []

    def find(_: Picture) -> list[Face]:
        niceness.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        return []

    background = BackgroundDetector(find)
    background.now(astronaut_rgb)
    background.close()
    assert niceness[0] > os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
