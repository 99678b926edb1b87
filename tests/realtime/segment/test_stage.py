"""The segmentation stage: how often the segmenter runs, and what the picture before may decide."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.align.affine import apply
from realtime.align.face_silhouette import open_eyes
from realtime.align.warp_crop import warp_crop_rgb
from realtime.frames import Face, SegmentedFace, TrackedFace, TrackedFrame
from realtime.imaging.mask_regions import dilated
from realtime.segment.mask_cleaning import hole_from_mask
from realtime.segment.mask_decision import FaceEvidence, evidence_for, largest_plausible
from realtime.segment.segmenter import MaskSegmenter
from realtime.segment.stage import SegmentStage
from realtime.synthetic import preset_style, render_mask
from tests.realtime.making_faces import tracked_frame


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bool]]:
    """Grows by one with each run of the segmenter: whether the crop was mirrored."""
    runs: list[bool] = []
    segment = MaskSegmenter.__call__

    def counted(
        segmenter: MaskSegmenter, crop_rgb: NDArray[np.uint8], *, mirrored: bool = False
    ) -> NDArray[np.float32]:
        runs.append(mirrored)
        return segment(segmenter, crop_rgb, mirrored=mirrored)

    monkeypatch.setattr(MaskSegmenter, "__call__", counted)
    yield runs


def closer(face: Face) -> NDArray[np.float64]:
    """A transform that comes out too close, so that the crop cuts the mask off."""
    near = face.matrix * 1.6
    near[:, 2] += np.array([63.5, 46.0]) * (1 - 1.6)
    return near


def seen(stage: SegmentStage, frame: TrackedFrame) -> SegmentedFace:
    return stage(frame).faces[0]


def test_segment_spares_an_eye_that_a_mask_nearly_reaches(astronaut_rgb, astronaut_face) -> None:
    raised = astronaut_face.landmarks - (0, 0.1 * astronaut_face.size)
    worn = render_mask(astronaut_rgb, raised, preset_style("cloth"))
    face = seen(SegmentStage(unrelated=True), tracked_frame(worn.image_rgb, astronaut_face))
    eyes = open_eyes(apply(face.matrix, astronaut_face.landmarks), (128, 128))
    alpha, _ = warp_crop_rgb(np.dstack([worn.alpha] * 3), face.matrix)
    bare = eyes & ~dilated(alpha[..., 0] > 127, 3)
    assert (bare & hole_from_mask(face.mask)).sum() > 10
    assert not (bare & face.hole).any()


def test_segment_unchanged_frames_reuse_the_mask(runs, masked_rgb, astronaut_face) -> None:
    stage = SegmentStage()
    frames = [tracked_frame(masked_rgb, astronaut_face, restarted=n == 0) for n in range(15)]
    kept = [seen(stage, frame).mask_kept for frame in frames]
    segmented = len(runs) - 1  # the first frame in both poses
    assert 4 <= segmented <= 8 and sum(kept) == 15 - segmented
    assert not kept[0] and all(seen(stage, frame).wears_mask for frame in frames[:1])


@pytest.mark.parametrize(
    ("smoothing", "poses"),
    [(True, [False, True, True, False, True]), (False, [False, True, False, False, False])],
)
def test_segment_smoothed_crops_have_their_poses_in_turns(
    runs, masked_rgb, astronaut_face, smoothing: bool, poses: list[bool]
) -> None:
    stage = SegmentStage(reuse=False, smoothing=smoothing)
    for _ in range(4):
        assert seen(stage, tracked_frame(masked_rgb, astronaut_face)).wears_mask
    assert runs == poses


def test_segment_still_stream_marks_what_a_picture_does(masked_rgb, astronaut_face) -> None:
    stage, frame = SegmentStage(), tracked_frame(masked_rgb, astronaut_face)
    *_, last = (seen(stage, frame) for _ in range(12))
    picture = seen(SegmentStage(unrelated=True), frame)
    assert np.mean(last.mask != picture.mask) < 0.002


def test_segment_more_faces_have_their_turns_less_often(runs, masked_rgb, astronaut_face) -> None:
    stage, counts = SegmentStage(), []
    one = tracked_frame(masked_rgb, astronaut_face)
    faces = tuple(replace(one.faces[0], track_id=number) for number in range(4))
    crowd = replace(one, faces=faces, known_tracks=frozenset(range(4)))
    for _ in range(29):
        before = len(runs)
        assert [face.track_id for face in stage(crowd).faces] == [0, 1, 2, 3]
        counts.append(len(runs) - before)
    assert counts[0] == 8 and max(counts[1:]) <= 2  # not all in the same frame
    assert 12 <= sum(counts[1:]) <= 20  # each about every seventh frame


def test_segment_a_wider_window_is_kept_while_it_is_needed(
    runs, masked_rgb, astronaut_face
) -> None:
    stage = SegmentStage(reuse=False)
    frame = tracked_frame(masked_rgb, astronaut_face, closer(astronaut_face))
    first = seen(stage, frame)
    assert first.window.scale < 0.9 and len(runs) > 1
    counts = []
    for _ in range(8):
        before = len(runs)
        assert seen(stage, frame).window == first.window
        counts.append(len(runs) - before)
    assert sorted(counts)[5] == 1 < max(counts)  # closer windows are tried now and then


@pytest.mark.parametrize(
    ("confirmed", "check_due", "unrelated", "once"),
    [(True, True, False, True), (False, False, False, True), (False, True, False, False),
     (False, False, True, False), (True, False, True, True)],
)  # fmt: skip
def test_segment_doubtful_bare_face_is_examined_in_wider_windows(
    runs, astronaut_rgb, astronaut_face, confirmed, check_due, unrelated, once
) -> None:
    stage = SegmentStage(unrelated=unrelated)
    face = replace(astronaut_face, confirmed=confirmed)
    found = seen(stage, tracked_frame(astronaut_rgb, face, check_due=check_due))
    assert not found.shows_mask and found.window.scale == 1
    assert (len(runs) == 2) == once  # both poses of the canonical crop


def test_segment_unrelated_pictures_decide_nothing_for_the_next(
    masked_rgb, astronaut_rgb, astronaut_face
) -> None:
    stage = SegmentStage(unrelated=True)
    pictures = [masked_rgb, astronaut_rgb, masked_rgb]
    worn = [seen(stage, tracked_frame(one, astronaut_face)).wears_mask for one in pictures]
    assert worn == [True, False, True]
    stream = SegmentStage(reuse=False)
    worn = [seen(stream, tracked_frame(one, astronaut_face)).wears_mask for one in pictures]
    assert worn == [True, True, True]  # one frame without a mask is doubted


def test_segment_restarted_face_is_judged_anew(masked_rgb, astronaut_rgb, astronaut_face) -> None:
    stage = SegmentStage()
    assert seen(stage, tracked_frame(masked_rgb, astronaut_face)).wears_mask
    assert not seen(stage, tracked_frame(astronaut_rgb, astronaut_face, restarted=True)).wears_mask
    stage.reset()
    assert seen(stage, tracked_frame(masked_rgb, astronaut_face)).wears_mask


@pytest.mark.parametrize(
    ("landmarks", "unrelated", "moved"),
    [(False, True, True), (True, True, False), (False, False, False)],
)
def test_segment_crop_beside_a_mask_is_moved_in_pictures_alone(
    masked_rgb, astronaut_face, landmarks, unrelated, moved
) -> None:
    """Where landmarks were found they are believed; in a stream the crop would jump to and fro."""
    beside = astronaut_face.matrix + np.array([[0, 0, 45], [0, 0, 0]])
    face = astronaut_face if landmarks else replace(astronaut_face, landmarks=None)
    frame = tracked_frame(masked_rgb, replace(face, confirmed=False), beside, check_due=True)
    found = seen(SegmentStage(unrelated=unrelated), frame)
    assert found.shows_mask == moved == (not np.allclose(found.matrix, beside, atol=5))


@pytest.mark.parametrize("unrelated", [True, False])
def test_segment_mask_below_the_chin_is_not_worn(astronaut_rgb, astronaut_face, unrelated) -> None:
    below = astronaut_face.landmarks + np.array([0, 54])
    pulled_down = render_mask(astronaut_rgb, below, preset_style("surgical")).image_rgb
    stage = SegmentStage(unrelated=unrelated)
    found = seen(stage, tracked_frame(pulled_down, astronaut_face))
    assert found.mask.any() and not found.shows_mask and not found.wears_mask


@pytest.mark.parametrize(
    ("size", "confirmed", "largest", "evidence"),
    [
        (200, True, 200, FaceEvidence.CONFIRMED),
        (200, False, 200, FaceEvidence.DETECTED),
        (200, False, 250, FaceEvidence.DETECTED),
        (200, True, 300, FaceEvidence.DOUBTFUL),  # far behind somebody
        (200, False, 300, FaceEvidence.DOUBTFUL),
        (200, False, 80, FaceEvidence.DOUBTFUL),  # much larger than those that are confirmed
        (100, True, 100, FaceEvidence.CONFIRMED),
        (100, False, 100, FaceEvidence.DOUBTFUL),  # small and not confirmed
    ],
)
def test_evidence_for_small_or_distant_faces_is_less(size, confirmed, largest, evidence) -> None:
    face = Face((0, 0, size, size), np.zeros((5, 2)), None, np.eye(2, 3), confirmed)
    picture = np.zeros((480, 640, 3), np.uint8)
    assert evidence_for(TrackedFace(0, face, np.eye(2, 3)), largest, picture) == evidence


@pytest.mark.parametrize(
    ("confirmed", "size", "largest"), [(False, 330, 330), (True, 330, 150), (True, 290, 290)]
)
def test_largest_plausible_face_is_not_much_larger_than_confirmed_ones(
    confirmed, size, largest
) -> None:
    faces = [
        TrackedFace(
            0, Face((0, 0, side, side), np.zeros((5, 2)), None, np.eye(2, 3), sure), np.eye(2, 3)
        )
        for side, sure in ((150, confirmed), (size, False))
    ]
    assert largest_plausible(faces) == largest
    assert largest_plausible(faces[:1]) == 150
    assert largest_plausible([]) == 0
