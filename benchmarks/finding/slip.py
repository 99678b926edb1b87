"""Faces of a stream against the same frame as a picture: are they filled, and do their crops slip?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from benchmarks.finding.crops import CropRecorder
from benchmarks.finding.matching import (
    SAME_SHIFT,
    SIZES,
    EyeOffset,
    Eyes,
    Seen,
    eye_offset,
    faces_of,
    nearest,
)
from benchmarks.finding.options import FindOptions
from benchmarks.finding.streams import VideoRun, masked_videos, run_video
from benchmarks.photographs.tiles import fit, labelled, surroundings, write_pages
from benchmarks.tables import Row, publish
from realtime.media.reader import VideoReader

_TILE_PX, _COLUMNS, _PER_PAGE = 300, 3, 18
_GREEN = (0, 255, 0)  # BGR
_NAN = float("nan")


@dataclass(frozen=True, eq=False)
class Compared:
    """A face that is filled in the frame as a picture.

    Attributes:
        video, frame: where.
        eyes: how far the stream's reported eyes are off the picture's; None where the stream does not fill
            the face.
        crop: the same of the eyes by the smoothed transforms, with which the fills were drawn.
        window: the scale of the stream's crop window over the picture's.
        tile: both fills, for the sheet.
    """

    video: str
    frame: int
    eyes: EyeOffset | None = None
    crop: EyeOffset | None = None
    window: float = _NAN
    tile: NDArray[np.uint8] | None = None

    @property
    def is_right(self) -> bool:
        """Whether eyes, crop and window are all right."""
        offsets_right = all(one is not None and one.is_right for one in (self.eyes, self.crop))
        return offsets_right and self.window_is_right

    @property
    def window_is_right(self) -> bool:
        """Whether the stream shows the generator about as much round the face as the picture."""
        return SIZES[0] <= self.window <= SIZES[1]

    def facts(self) -> dict[str, object]:
        """What the JSON says of it."""
        offsets = {
            name: vars(one) for name, one in (("eyes", self.eyes), ("crop", self.crop)) if one
        }
        return {"video": self.video, "frame": self.frame, "window": self.window, **offsets}


def run(options: FindOptions) -> list[Row]:
    """Compare the faces that sampled frames show filled as pictures with the same faces in the stream."""
    every: list[Compared] = []
    rows: list[Row] = []
    with options.folder_for_videos() as folder:
        videos = masked_videos(options, folder)
        for path in track(list(videos), "streams and pictures"):
            target = folder / f"slip-{path.stem}.mp4"
            with options.unmasker("video") as unmasker:
                stream = run_video(path, target, unmasker, every=options.every)
            target.unlink(missing_ok=True)
            with options.unmasker("image") as unmasker:
                some = list(_compare(stream, unmasker))
            every += some
            rows.append(_row(path.stem, some))
    rows.append(_row("all", every))
    both = [one for one in every if one.eyes is not None]
    wrong = [one for one in both if not one.is_right]
    tiles = [one.tile for one in wrong if one.tile is not None]
    if options.out is not None and tiles:
        write_pages(options.out / "sheet-find-slip.png", tiles, _COLUMNS, _PER_PAGE)
    details = {
        "wrong": [one.facts() for one in wrong],
        "right": [one.facts() for one in both if one.is_right],
        "filled as picture only": [[one.video, one.frame] for one in every if one.eyes is None],
    }
    return publish("find-slip", rows, options.out, details)


def _compare(stream: VideoRun, unmasker: CropRecorder) -> Iterator[Compared]:
    """Unmask the frames of the stream's results as pictures; yield the faces that are filled there."""
    name = stream.path.stem
    with VideoReader(stream.path) as file:
        for frame in file:
            shown = stream.kept.get(frame.index)
            if shown is None:
                continue
            picture = unmasker(frame.image_bgr)
            crops, stream_crops = unmasker.crops[-1], stream.crops[frame.index]
            candidates = [face for face in faces_of(shown) if face.filled]
            for face in (face for face in faces_of(picture) if face.filled):
                mine = nearest(candidates, face.eyes, face.width, SAME_SHIFT)
                if mine is None:
                    yield Compared(name, frame.index)
                    continue
                crop, true = stream_crops[mine.track_id], crops[face.track_id]
                one = Compared(
                    name,
                    frame.index,
                    eye_offset(mine.eyes, face.eyes, face.width),
                    eye_offset(crop.eyes, true.eyes, face.width),
                    crop.scale / true.scale,
                )
                halves = (
                    _half(shown.frame, crop.eyes, (mine, face)),
                    _half(picture.frame, true.eyes, (mine, face)),
                )
                yield Compared(**{**vars(one), "tile": _tile(one, halves)})


def _half(frame: NDArray[np.uint8], eyes: Eyes, faces: tuple[Seen, Seen]) -> NDArray[np.uint8]:
    """Cut a frame to a face, with a line between the eyes of its crop."""
    part = surroundings(frame.shape, [face.box for face in faces], 0.3)
    half = fit(frame[part], _TILE_PX)
    scale = _TILE_PX / max(frame[part].shape[:2])
    ends = [(round(x), round(y)) for x, y in ((eyes - (part[1].start, part[0].start)) * scale)]
    cv2.line(half, ends[0], ends[1], _GREEN, 1, cv2.LINE_AA)
    return half


def _tile(one: Compared, halves: tuple[NDArray[np.uint8], NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """The stream's fill and the picture's side by side, with how far the stream is off."""
    offsets = [
        f"{name} {offset.roll_deg:.0f} deg {offset.shift:.2f} x{offset.size:.2f}"
        for name, offset in (("eyes", one.eyes), ("crop", one.crop))
        if offset is not None
    ]
    text = f"{one.video} {one.frame} {', '.join(offsets)}, x{one.window:.2f}"
    return labelled(np.hstack(halves), text)


def _row(name: str, every: list[Compared]) -> Row:
    both = [one for one in every if one.eyes is not None and one.crop is not None]
    crops = [one.crop for one in both if one.crop is not None]

    def share(flags: list[bool]) -> float:
        return sum(flags) / len(flags) if flags else _NAN

    return {
        "video": name,
        "filled as picture": len(every),
        "also in the stream": share([one.eyes is not None for one in every]),
        "compared": len(both),
        "right": share([one.is_right for one in both]),
        "eyes right": share([one.eyes is not None and one.eyes.is_right for one in both]),
        "crop right": share([offset.is_right for offset in crops]),
        "window right": share([one.window_is_right for one in both]),
        "crop roll p90, deg": _p90([abs(offset.roll_deg) for offset in crops]),
        "crop shift p90": _p90([offset.shift for offset in crops]),
    }


def _p90(values: list[float]) -> float:
    return float(np.percentile(values, 90)) if values else _NAN
