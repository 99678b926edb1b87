"""Follows faces from frame to frame: stable numbers, a smoothed similarity transform for each."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.align.affine import apply, invert
from realtime.align.similarity_vector import to_matrix, to_vector
from realtime.detect.face_detector import FaceDetector
from realtime.frames import NOMINAL_INTERVAL_S, Face
from realtime.inpaint.temporal_blend import TemporalBlend
from realtime.segment.mask_memory import MaskMemory
from realtime.track.association import Motion, Place, match
from realtime.track.background_detection import BackgroundDetector
from realtime.track.one_euro import OneEuro
from realtime.track.optical_flow import OpticalFlow
from realtime.track.scene_cut import SceneCut
from realtime.track.track import SHOWN_UNSEEN_S, Track

_REMEMBERED_TRACKS = 16
_LEAP_PX, _MOST_DOUBTS = 9.0, 6
_CORNERS = np.array([[32.0, 30.0], [96, 30], [32, 90], [96, 90]])
_FOLLOWED_S, _MORE_FOLLOWED_S = 0.070, 0.045


class FaceTracker:
    """Finds faces in each frame and follows them.

    Args:
        max_faces: at most this many.
        still: pictures are unrelated: nothing is remembered or smoothed.
        smoothing: calm the transforms.
        thrifty: find faces in the frames `followed_s` apart alone, and follow them by optical flow in
            between.
        live: while faces are followed, look for them in a thread beside, and take what it finds when it
            is there: no frame waits for it.
        models_dir: folder searched first for MediaPipe's models.
    """

    def __init__(
        self,
        max_faces: int = 4,
        *,
        still: bool = False,
        smoothing: bool = True,
        thrifty: bool = False,
        live: bool = False,
        models_dir: Path | None = None,
    ) -> None:
        self._max_faces, self._still, self._models_dir = max_faces, still, models_dir
        self._smoothing = smoothing and not still
        self._numbers = itertools.count()
        self._tracks: list[Track] = []
        self._finder: FaceDetector | None = None
        self._thrifty, self._flow, self._scenes = thrifty, OpticalFlow(), SceneCut()
        self._since_found_s = 0.0
        self._lookout = BackgroundDetector(self._find_new) if thrifty and live else None

    def __call__(
        self, image_rgb: NDArray[np.uint8], interval_s: float = NOMINAL_INTERVAL_S
    ) -> list[Track]:
        """Take the next frame, uint8 [H, W, 3] RGB, contiguous; return its tracks.

        A face that is out of sight is returned for a moment more, and its number is remembered for a
        second.
        """
        if self._still:
            faces = self._find_new(image_rgb)
            self._tracks = []
        else:
            grey = cv2.cvtColor(image_rgb, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)
            cut = self._scenes(grey)
            if cut:
                self._flow.forget()
                self._stop_looking()
            faces = self._find(image_rgb, grey, interval_s)
            self._follow(faces, grey, interval_s, cut=cut)
            self._flow.remember(grey)
        shown = [track for track in self._tracks if track.is_shown]
        found = {id(track.face) for track in self._tracks}
        begun = [self._begin(f, alone=not shown) for f in faces if id(f) not in found]
        shown = sorted([*shown, *begun], key=lambda track: track.misses)[: self._max_faces]
        hidden = [track for track in self._tracks if track not in shown]
        self._tracks = [*shown, *hidden][:_REMEMBERED_TRACKS]
        self._confirm(image_rgb, shown)
        return [track for track in shown if self._still or track.is_trusted]

    def _confirm(self, image_rgb: NDArray[np.uint8], tracks: list[Track]) -> None:
        """Ask the strict landmark model about those that wear no mask, now and again until it agrees."""
        assert self._finder is not None
        for track in tracks:
            if track.is_due and not (track.confirmed or track.memory.worn):
                track.confirmed = self._finder.is_face(image_rgb, track.face)

    def _find_new(self, image_rgb: NDArray[np.uint8]) -> list[Face]:
        if self._finder is None:
            self._finder = FaceDetector(
                self._max_faces, video=not self._still, models_dir=self._models_dir
            )
        return self._finder(image_rgb)

    def _find(
        self, image_rgb: NDArray[np.uint8], grey: NDArray[np.uint8], interval_s: float
    ) -> list[Face]:
        """Find the faces, or follow all of them where they were found a moment ago."""
        self._since_found_s += interval_s
        beside = self._lookout
        found = beside.take(grey) if beside is not None else None
        if found is not None:
            return found
        due = self._since_found_s >= followed_s(len(self._in_sight))
        if self._thrifty and (beside is not None or not due):
            followed = self._flow.follow_all([track.face for track in self._in_sight], grey)
            if followed:
                if due and beside is not None and not beside.is_busy:
                    beside.begin(image_rgb, grey)
                    self._since_found_s = 0.0
                return followed
        self._since_found_s = 0.0
        return self._find_new(image_rgb) if beside is None else beside.now(image_rgb)

    def _stop_looking(self) -> None:
        """Forget what is looked for beside: the frame it is from has nothing to do with this one."""
        if self._lookout is not None:
            self._lookout.discard()

    @property
    def _in_sight(self) -> list[Track]:
        return [track for track in self._tracks if not track.motion.unseen_s]

    def _follow(
        self, faces: list[Face], grey: NDArray[np.uint8], interval_s: float, *, cut: bool
    ) -> None:
        """Give each track the face that is its own; forget those out of sight for too long."""
        in_sight = self._in_sight
        for track in self._tracks:
            track.motion.advance(interval_s)
        pairs = match([track.motion for track in self._tracks], [_place(face) for face in faces])
        for number, track in enumerate(self._tracks):
            track.confirmed &= not cut
            if number not in pairs:
                track.misses, track.fresh = track.misses + 1, False
                continue
            face = faces[pairs[number]]
            if track in in_sight:
                face = faces[pairs[number]] = self._believed(track, face, grey)
            track.fresh = cut or track.motion.unseen_s > SHOWN_UNSEEN_S
            if track.fresh:
                track.filter, track.confirmed = OneEuro(), False
            track.face, track.misses, track.hits = face, 0, track.hits + 1
            track.motion.see(_place(face))
            track.matrix = face.matrix
            if self._smoothing:
                track.matrix = to_matrix(track.filter(to_vector(face.matrix), interval_s))
        self._tracks = [track for track in self._tracks if track.is_remembered]

    def _believed(self, track: Track, face: Face, grey: NDArray[np.uint8]) -> Face:
        """What was found, or where it leaps and optical flow knows better, the face followed."""
        followed = None
        if track.doubts < _MOST_DOUBTS and _distance_px(track.face, face) > _LEAP_PX:
            followed = self._flow.follow(track.face, grey)
        if followed is None or _distance_px(followed, face) < _LEAP_PX:
            track.doubts = 0
            return face
        track.doubts += 1
        return followed

    def _begin(self, face: Face, *, alone: bool) -> Track:
        smooth = OneEuro()
        smooth(to_vector(face.matrix))
        motion = Motion(_place(face))
        return Track(
            next(self._numbers),
            face,
            face.matrix,
            smooth,
            motion,
            began_alone=alone,
            memory=MaskMemory(smoothing=self._smoothing),
            texture=TemporalBlend(smoothing=self._smoothing),
        )

    def reset(self) -> None:
        """Forget every track; numbers begin again."""
        self._stop_looking()
        self._tracks, self._since_found_s = [], 0.0
        self._numbers = itertools.count()
        self._flow.forget()
        self._scenes.forget()
        if self._finder is not None and not self._still:
            self.close()

    def close(self) -> None:
        """Free the models."""
        if self._lookout is not None:
            self._lookout.close()
        if self._finder is not None:
            self._finder.close()
            self._finder = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def followed_s(faces: int) -> float:
    """For how long a thrifty run goes on from one thorough look, seconds; the longer the more faces."""
    return _FOLLOWED_S + _MORE_FOLLOWED_S * (max(faces, 1) - 1)


def _distance_px(one: Face, other: Face) -> float:
    """How far apart two finds place the corners of the upper face, pixels of the crop, the most of them."""
    ends = apply(one.matrix, apply(invert(other.matrix), _CORNERS))
    return float(np.hypot(*(ends - _CORNERS).T).max())


def _place(face: Face) -> Place:
    return Place(face.centre, face.size)
