"""The eyes of a stream against those of the same frame as a picture: does the crop slip?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from benchmarks.finding.matching import SAME_SHIFT, EyeOffset, Seen, eye_offset, faces_of, nearest
from benchmarks.finding.options import FindOptions
from benchmarks.finding.streams import masked_videos, run_video
from benchmarks.photographs.tiles import fit, labelled, surroundings, write_pages
from benchmarks.tables import Row, publish
from realtime import Unmasker, UnmaskResult
from realtime.media.reader import VideoReader

_TILE_PX, _COLUMNS, _PER_PAGE = 300, 3, 18
_GREEN = (0, 255, 0)  # BGR


@dataclass(frozen=True, eq=False)
class Compared:
    """A face that the stream and the picture both filled, and its tile for the sheet."""

    video: str
    frame: int
    offset: EyeOffset
    tile: NDArray[np.uint8]

    def facts(self) -> dict[str, str | float | int]:
        """What the JSON says of it."""
        return {"video": self.video, "frame": self.frame, **vars(self.offset)}


def run(options: FindOptions) -> list[Row]:
    """Compare the faces of sampled frames that are filled in a stream and in the frame as a picture."""
    compared: list[Compared] = []
    rows: list[Row] = []
    with options.folder_for_videos() as folder:
        videos = masked_videos(options, folder)
        for path in track(list(videos), "streams and pictures"):
            target = folder / f"slip-{path.stem}.mp4"
            with options.unmasker("video") as unmasker:
                stream = run_video(path, target, unmasker, every=options.every).kept
            target.unlink(missing_ok=True)
            with options.unmasker("image") as unmasker:
                some = list(_compare(path, stream, unmasker))
            compared += some
            rows.append(_row(path.stem, some))
    rows.append(_row("all", compared))
    wrong = [one for one in compared if not one.offset.is_right]
    if options.out is not None and wrong:
        tiles = [one.tile for one in wrong]
        write_pages(options.out / "sheet-find-slip.png", tiles, _COLUMNS, _PER_PAGE)
    details = {
        "wrong": [one.facts() for one in wrong],
        "right": [one.facts() for one in compared if one.offset.is_right],
    }
    return publish("find-slip", rows, options.out, details)


def _compare(
    path: Path, stream: Mapping[int, UnmaskResult], unmasker: Unmasker
) -> Iterator[Compared]:
    """Unmask the frames of the stream's results as pictures, and yield the faces filled by both."""
    with VideoReader(path) as file:
        for frame in file:
            if frame.index not in stream:
                continue
            shown = stream[frame.index]
            picture = unmasker(frame.image_bgr)
            filled = [face for face in faces_of(shown) if face.filled]
            for face in faces_of(picture):
                mine = nearest(filled, face.eyes, face.width, SAME_SHIFT)
                if face.filled and mine is not None:
                    offset = eye_offset(mine.eyes, face.eyes, face.width)
                    where = f"{path.stem} {frame.index}"
                    tile = _tile(where, offset, (shown.frame, mine), (picture.frame, face))
                    yield Compared(path.stem, frame.index, offset, tile)


def _tile(
    where: str,
    offset: EyeOffset,
    stream: tuple[NDArray[np.uint8], Seen],
    picture: tuple[NDArray[np.uint8], Seen],
) -> NDArray[np.uint8]:
    """The stream's fill and the picture's side by side, each with a line between its eyes."""
    boxes = [stream[1].box, picture[1].box]
    halves = []
    for image, face in (stream, picture):
        part = surroundings(image.shape, boxes, 0.3)
        half = fit(image[part], _TILE_PX)
        scale = _TILE_PX / max(image[part].shape[:2])
        eyes = (face.eyes - (part[1].start, part[0].start)) * scale
        ends = [(round(x), round(y)) for x, y in eyes.tolist()]
        cv2.line(half, ends[0], ends[1], _GREEN, 1, cv2.LINE_AA)
        halves.append(half)
    text = f"{where}: {offset.roll_deg:.0f} deg, {offset.shift:.2f}, x{offset.size:.2f}"
    return labelled(np.hstack(halves), f"{text} | stream, picture")


def _row(name: str, compared: list[Compared]) -> Row:
    offsets = [one.offset for one in compared]
    rolls = [abs(offset.roll_deg) for offset in offsets] or [float("nan")]
    shifts = [offset.shift for offset in offsets] or [float("nan")]
    sizes = [abs(np.log(offset.size)) for offset in offsets] or [float("nan")]
    right = sum(offset.is_right for offset in offsets)
    return {
        "video": name,
        "faces compared": len(offsets),
        "right": right,
        "share right": right / len(offsets) if offsets else float("nan"),
        "roll p90, deg": float(np.percentile(rolls, 90)),
        "shift p90, of the width": float(np.percentile(shifts, 90)),
        "size p90, factor": float(np.exp(np.percentile(sizes, 90))),
    }
