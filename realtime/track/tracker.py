"""Tracks faces from frame to frame: stable numbers, and optical flow between detections."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.detect.face_finder import FaceFinder, Refused
from realtime.detect.face_geometry import is_same_face, moved, scaled_and_shifted
from realtime.detect.search_schedule import SearchSchedule
from realtime.frames import NOMINAL_INTERVAL_S, Face, TrackedFace
from realtime.settings import TRACK
from realtime.stages import Stage
from realtime.track.association import MotionModel, Place, match
from realtime.track.candidates import Candidates
from realtime.track.optical_flow import OpticalFlow
from realtime.track.scene_cut import SceneCut
from realtime.track.track import Track

# Cuts and changes are sought in each third row and column of a frame, for speed.
_THIN_STEP = 3


class FaceTracker(Stage[NDArray[np.uint8], list[TrackedFace]]):
    """Finds faces, and follows them by optical flow between two looks at each.

    The first frame of a stream and of each scene is searched as thoroughly as a picture. Each later frame
    is searched in a few windows, whether faces are followed or not. A large face that the landmark model
    does not find is followed once the aligner found it again.

    Args:
        finder: finds faces.
        max_faces: at most this many.
        unrelated: frames are unrelated pictures: each is searched, and nothing is remembered.
        detect_every_n: look at a followed face `detection_interval_s` after the last look, and follow it by
            optical flow in between; False looks at every face in every frame.

    Attributes:
        left_out: faces found in the last frame for which there was no room.
    """

    def __init__(
        self,
        finder: FaceFinder,
        max_faces: int = 4,
        *,
        unrelated: bool = False,
        detect_every_n: bool = True,
    ) -> None:
        self._finder, self._max_faces = finder, max_faces
        self._unrelated, self._detect_every_n = unrelated, detect_every_n
        self.left_out = 0
        self._flow, self._scenes, self._refused = OpticalFlow(), SceneCut(), Refused()
        self._candidates = Candidates(finder)
        self.reset()

    def __call__(
        self, image_bgr: NDArray[np.uint8], interval_s: float = NOMINAL_INTERVAL_S
    ) -> list[TrackedFace]:
        """Take the next frame, uint8 [H, W, 3] BGR, contiguous; return the faces in view.

        A face that is out of sight is returned for a moment more, and its number is remembered for a
        second.
        """
        self.left_out = 0
        if self._unrelated:
            self._tracks = []
            self._begin(self._finder.find_all(image_bgr))
        else:
            self._track(image_bgr, interval_s)
        shown = sorted(filter(_is_shown, self._tracks), key=lambda track: track.misses)
        return [track.snapshot() for track in shown[: self._max_faces]]

    @property
    def known_tracks(self) -> frozenset[int]:
        """The numbers of all tracks that are remembered."""
        return frozenset(track.track_id for track in self._tracks)

    def _track(self, image_bgr: NDArray[np.uint8], interval_s: float) -> None:
        """Follow the known faces into a frame of a stream, and search it for new ones."""
        grey = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)
        if grey.shape != self._shape:  # another camera: places in its frames are other ones
            self._tracks, self._schedule, self._shape = [], None, grey.shape
        thin = np.ascontiguousarray(grey[::_THIN_STEP, ::_THIN_STEP])
        cut = self._scenes(thin)
        self._refused.advance(interval_s)
        for track in self._tracks:
            track.motion.advance(interval_s)
            track.undetected_s += interval_s
        if cut or self._schedule is None:
            self._schedule = SearchSchedule(image_bgr.shape[1], image_bgr.shape[0])
            self._refused.clear()
            self._candidates.clear()
            sure, new = [], self._finder.find_all(image_bgr)
            for track in self._tracks:
                track.restarted, track.misses = True, track.misses + 1
        else:
            any_in_sight = any(not track.misses for track in self._tracks)
            self._follow(image_bgr, grey)
            sure = self._candidates.look(image_bgr, interval_s)
            new = self._search(image_bgr, thin, interval_s, lost_all=any_in_sight)
        self._flow.remember(grey)
        self._begin(sure + self._candidates.take(self._matched(new), grey.shape))
        self._tracks = [
            track
            for track in self._tracks
            if track.is_remembered and track.doubts < TRACK.most_doubts
        ]

    def _follow(self, image_bgr: NDArray[np.uint8], grey: NDArray[np.uint8]) -> None:
        """Find each known face again: by optical flow, and by the networks where a look at it is due."""
        followed = {
            track.track_id: self._flow.follow(track.face, grey) if not track.misses else None
            for track in self._tracks
        }
        due = self._due(followed)
        for track in self._tracks:
            face = followed[track.track_id]
            if track.track_id in due:
                found = self._finder.find_again(image_bgr, face or _predicted(track))
                if found is not None:
                    face, track.undetected_s = found, 0.0
            if (
                face is None
                or track.undetected_s > TRACK.undetected_s
                or not _is_inside(face, image_bgr)
            ):
                track.misses += 1
            else:
                self._update(track, self._checked(image_bgr, track, face))
        self._drop_doubles()

    def _due(self, followed: dict[int, Face | None]) -> set[int]:
        """Choose the faces to look at: those that optical flow lost, and of the others one a frame.

        Where so many are followed that one a frame is too few, more are chosen.
        """
        lost = {number for number, face in followed.items() if face is None}
        late = [track for track in self._tracks if track.track_id not in lost]
        if not self._detect_every_n:
            return lost | {track.track_id for track in late}
        late = [track for track in late if track.undetected_s >= TRACK.detection_interval_s]
        late.sort(key=lambda track: -track.undetected_s)
        most = int(np.ceil(len(followed) / TRACK.faces_per_look))
        return lost | {track.track_id for track in late[:most]}

    def _checked(self, image_bgr: NDArray[np.uint8], track: Track, face: Face) -> Face:
        """Examine a face now and then: until the landmark model confirms it, and then for a mask."""
        if not track.check_is_due or track.restarted:
            return face
        if face.confirmed:
            return replace(face, mask_score=self._finder.mask_score(image_bgr, face))
        if face.landmarks is not None and self._finder.confirms(image_bgr, face):
            return replace(face, confirmed=True)
        track.doubts = 0 if self._finder.is_face(image_bgr, face) else track.doubts + 1
        return face

    def _update(self, track: Track, face: Face) -> None:
        track.restarted |= track.motion.unseen_s > TRACK.shown_unseen_s
        track.face, track.misses, track.hits = face, 0, track.hits + 1
        track.motion.update(_place(face))

    def _drop_doubles(self) -> None:
        """Where two tracks have come to the same face, keep the one that was found more often."""
        kept: list[Track] = []
        for track in sorted(self._tracks, key=lambda track: (track.misses, -track.hits)):
            there = [one for one in kept if not one.misses and not track.misses]
            if not any(is_same_face(one.face, track.face) for one in there):
                kept.append(track)
        numbers = {track.track_id for track in kept}
        self._tracks = [track for track in self._tracks if track.track_id in numbers]

    def _search(
        self,
        image_bgr: NDArray[np.uint8],
        thin: NDArray[np.uint8],
        interval_s: float,
        *,
        lost_all: bool,
    ) -> list[Face]:
        """Search a part of a frame for new faces; all of it where every face was lost at once."""
        assert self._schedule is not None
        known = [track.face for track in self._tracks if not track.misses]
        if lost_all and not known:
            return self._finder.find_all(image_bgr)
        windows = self._schedule.next(interval_s, thin, known)
        known += self._candidates.faces
        found = self._finder.search(image_bgr, windows, known, self._refused)
        return [found] if found is not None else []

    def _matched(self, faces: Sequence[Face]) -> list[Face]:
        """Give faces to the tracks out of sight that they belong to; return the others."""
        unseen = [track for track in self._tracks if track.misses]
        pairs = match([track.motion for track in unseen], [_place(face) for face in faces])
        for number, found in pairs.items():
            unseen[number].undetected_s = 0.0
            self._update(unseen[number], faces[found])
        return [face for index, face in enumerate(faces) if index not in pairs.values()]

    def _begin(self, faces: Sequence[Face]) -> None:
        """Begin a track for each new face; a much larger face takes the place of a small one."""
        for face in faces:
            shown = sorted(filter(_is_shown, self._tracks), key=lambda track: track.face.size)
            if len(shown) >= self._max_faces:
                self.left_out += 1
                if face.size < TRACK.replacing_ratio * shown[0].face.size:
                    self._refused.add(face)
                    continue
                self._tracks.remove(shown[0])
            self._tracks.append(Track(next(self._numbers), face, MotionModel(_place(face))))

    def reset(self) -> None:
        """Forget every track; numbers begin again."""
        self._tracks: list[Track] = []
        self._schedule: SearchSchedule | None = None
        self._shape: tuple[int, ...] = ()
        self._numbers = itertools.count()
        self._flow.forget()
        self._scenes.forget()
        self._refused.clear()
        self._candidates.clear()

    def close(self) -> None:
        """Free the models."""
        self._finder.close()


def _is_shown(track: Track) -> bool:
    return track.is_shown


def _is_inside(face: Face, image_bgr: NDArray[np.uint8]) -> bool:
    """Whether the middle between the eyes is in the picture, or hardly outside it."""
    x, y = face.centre
    height, width = image_bgr.shape[:2]
    margin = TRACK.most_outside * face.size
    return -margin < x < width + margin and -margin < y < height + margin


def _predicted(track: Track) -> Face:
    """The face of a track, moved to where it should be."""
    x, y = track.motion.predicted.centre - track.face.centre
    return moved(track.face, scaled_and_shifted(1.0, x, y))


def _place(face: Face) -> Place:
    return Place(face.centre, face.size)
