"""Draws filled faces by lot from photographs and videos, and lays them out for the judge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from benchmarks.clips import clips_in
from benchmarks.photographs.lists import choose, collection_of
from benchmarks.photographs.tiles import fit, surroundings
from inpaint_model.errors import UserError
from realtime import Unmasker
from realtime.frames import FaceResult
from realtime.media.reader import VideoReader

GLANCE_PX = 150
"""Width of the face at a glance, pixels. Smaller faces are shown twice as large at full size."""
_GAP_PX = 12
_PAGE_GREY = 0x2B  # level of the page's background
_MARGIN = 0.45  # added on each side of the face, as a share of its longer side
_DIGEST = 16  # hex digits that tell one result from another
Frame = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Case:
    """A filled face with its surroundings, before and after.

    Attributes:
        collection: the name of its collection.
        file: its photograph or video, a path inside the collection.
        frame: number of the video's frame; 0 for a photograph.
        box: bounding box: x0, y0, x1, y1, pixels of the frame.
        before: uint8 [H, W, 3], BGR.
        results: the same part of the result of each model.
    """

    collection: str
    file: str
    frame: int
    box: tuple[int, int, int, int]
    before: Frame
    results: tuple[Frame, ...]

    @property
    def digest(self) -> str:
        """Tell these very pictures from all others: the first digits of their SHA-256."""
        pixels = sha256()
        for picture in (self.before, *self.results):
            pixels.update(str(picture.shape).encode() + np.ascontiguousarray(picture).tobytes())
        return pixels.hexdigest()[:_DIGEST]

    def at_a_glance(self) -> Frame:
        """Lay out before and after, with the face `GLANCE_PX` wide."""
        return self._side_by_side(GLANCE_PX / self._face_px, (self.before, self.results[0]))

    def at_full_size(self) -> Frame:
        """Lay out before and after with unscaled pixels; a face below `GLANCE_PX` is twice as large."""
        return self._side_by_side(self._full_scale, (self.before, self.results[0]))

    def results_at_full_size(self, order: Sequence[int]) -> Frame:
        """Lay out the models' results as `at_full_size` does.

        Args:
            order: indices of the models, from left to right.
        """
        return self._side_by_side(self._full_scale, [self.results[index] for index in order])

    @property
    def _face_px(self) -> int:
        return max(self.box[2] - self.box[0], 1)

    @property
    def _full_scale(self) -> float:
        return 1.0 if self._face_px >= GLANCE_PX else 2.0

    def _side_by_side(self, scale: float, pictures: Sequence[Frame]) -> Frame:
        side = max(1, round(max(self.before.shape[:2]) * scale))
        gap = np.full((side, _GAP_PX, 3), _PAGE_GREY, np.uint8)
        return np.hstack([part for one in pictures for part in (fit(one, side), gap)][:-1])


def draw_photographs(
    folder: Path, count: int, seed: int, unmaskers: Sequence[Unmasker]
) -> list[Case]:
    """Draw clear photographs of a folder by lot, and a filled face of each, until there are so many.

    Args:
        folder: the collection.
        count: at most so many faces.
        seed: of the lot.
        unmaskers: in mode "image"; the first one decides which faces are filled.
    """

    def filled() -> Iterator[Case]:
        for path in choose([folder], None, seed):
            picture = cv2.imread(str(path))
            if picture is None:
                raise UserError(f"{path}: cannot be read as a picture")
            found = _filled_faces(folder, path, 0, np.asarray(picture, np.uint8), None, unmaskers)
            if found:
                yield min(found, key=lambda case: _lot(seed, case))

    cases = islice(filled(), count)
    return list(track(cases, f"filled faces of {collection_of(folder)}", total=count))


def draw_videos(place: Path, count: int, seed: int, unmaskers: Sequence[Unmasker]) -> list[Case]:
    """Draw filled faces of videos by lot: of all faces of all frames, as many from each video.

    Args:
        place: a video or a folder of MP4 files.
        count: at most so many faces.
        seed: of the lot.
        unmaskers: in mode "video"; the first one decides which faces are filled.
    """
    drawn = [_draw_video(path, count, seed, unmaskers) for path in clips_in([place])]
    rounds = [[cases[number] for cases in drawn if number < len(cases)] for number in range(count)]
    in_turn = [case for one in rounds for case in sorted(one, key=lambda case: _lot(seed, case))]
    return in_turn[:count]


def _draw_video(path: Path, count: int, seed: int, unmaskers: Sequence[Unmasker]) -> list[Case]:
    """The filled faces of a video that have the lowest lots, in this order."""
    drawn: list[Case] = []
    for unmasker in unmaskers:
        unmasker.reset()
    with VideoReader(path) as file:
        origin_s, total = file.origin_s, file.expected_frames() or None
        for frame in track(file, f"frames of {path.name}", total=total):
            time_s = float(frame.pts * file.time_base - origin_s)
            drawn += _filled_faces(
                path.parent, path, frame.index, frame.image_bgr, time_s, unmaskers
            )
            drawn = sorted(drawn, key=lambda case: _lot(seed, case))[:count]
    return drawn


def _filled_faces(
    folder: Path,
    path: Path,
    number: int,
    frame: Frame,
    time_s: float | None,
    unmaskers: Sequence[Unmasker],
) -> list[Case]:
    """The faces of a frame that were filled, each with its surroundings."""
    results = [unmasker(frame, time_s) for unmasker in unmaskers]
    cases = []
    for face in results[0].faces:
        if not face.inpainted:
            continue
        part = surroundings(frame.shape, [face.box], _MARGIN)
        shown = [picture[part].copy() for picture in (frame, *(one.frame for one in results))]
        name = path.relative_to(folder).as_posix()
        cases.append(
            Case(collection_of(folder), name, number, _whole(face), shown[0], tuple(shown[1:]))
        )
    return cases


def _whole(face: FaceResult) -> tuple[int, int, int, int]:
    """The box in whole pixels."""
    x0, y0, x1, y1 = (round(float(edge)) for edge in face.box)
    return x0, y0, x1, y1


def _lot(seed: int, case: Case) -> str:
    """A face's random number: of the seed and its place, so that other faces do not change it."""
    place = f"{seed} {case.collection} {case.file} {case.frame} {case.box}"
    return sha256(place.encode()).hexdigest()
