"""Best shots: the best record of each track, once, when the track has ended."""

from __future__ import annotations

import json

import numpy as np

from realtime.feed.best_shot import BestShots
from realtime.feed.record import FaceRecord


def record(track_id: int, pts_s: float, quality: float) -> FaceRecord:
    crop = np.zeros((112, 112, 3), np.uint8)
    return FaceRecord(
        key=f"{track_id}@{pts_s}",
        source="clip.mp4",
        frame_index=round(pts_s * 30),
        pts_s=pts_s,
        track_id=track_id,
        box=(0.0, 0.0, 10.0, 10.0),
        keypoints=((0.0, 0.0),) * 5,
        eye_distance_px=4.0,
        yaw_deg=0.0,
        sharpness=0.5,
        quality=quality,
        mask_coverage=0.2,
        inpainted=True,
        model="fast",
        model_sha256="0",
        networks={},
        crop_rgb=crop,
        crop_before_rgb=crop,
    )


def test_best_shot_is_the_record_of_highest_quality():
    shots = BestShots()
    every = [record(1, 0.0, 0.2), record(1, 0.1, 0.7), record(1, 0.2, 0.7), record(1, 0.3, 0.4)]
    for one in every:
        shots.add(one)
    (best,) = shots.finish()
    assert (best.event, best.key, best.pts_s) == ("best_shot", "1@0.1-best", 0.1)
    assert best.crop_rgb is every[1].crop_rgb
    assert every[1].event == "face"
    assert json.loads(best.as_json())["event"] == "best_shot"


def test_ended_gives_a_track_two_seconds_after_its_last():
    shots = BestShots()
    shots.add(record(1, 0.0, 0.9))
    shots.add(record(2, 1.0, 0.5))
    shots.add(record(1, 1.0, 0.1))
    assert shots.ended(3.0) == []
    shots.add(record(2, 3.1, 0.1))
    assert [one.key for one in shots.ended(3.1)] == ["1@0.0-best"]
    assert shots.ended(3.2) == []
    assert [one.key for one in shots.finish()] == ["2@1.0-best"]
    assert shots.finish() == []


def test_ended_track_that_comes_back_begins_anew():
    shots = BestShots()
    shots.add(record(1, 0.0, 0.9))
    shots.ended(9.0)
    shots.add(record(1, 9.0, 0.3))
    assert [one.key for one in shots.finish()] == ["1@9.0-best"]


def test_memory_holds_the_tracks_of_two_seconds():
    shots = BestShots()
    for number in range(1000):
        shots.add(record(number, number / 10, 0.5))
        shots.ended(number / 10)
    assert len(shots) == 21
