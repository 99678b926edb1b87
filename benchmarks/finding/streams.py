"""Runs whole videos as `unmask video` does, and keeps what it reports of each frame."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.clips import clips_in
from benchmarks.finding.crops import Crop, CropRecorder
from benchmarks.finding.matching import Seen, faces_of
from benchmarks.finding.options import FindOptions
from inpaint_model.errors import UserError
from realtime import UnmaskResult
from realtime.demo.clip import DemoClip
from realtime.media.clip import write_clip
from realtime.media.reader import VideoReader
from realtime.video.file import VideoOptions, unmask_video

_MARK_EVERY = 40  # frames between those of the demo's clip whose face counts as marked
Box = tuple[float, float, float, float]
Marks = dict[int, list[Box]]
"""Boxes (x0, y0, x1, y1, pixels) of the masked faces by frame number in decoding order."""


@dataclass
class VideoRun:
    """What was reported of a video.

    Attributes:
        path: the video.
        fps: frames a second.
        faces: the faces of each frame.
        replaced: share of the pixels of each frame that were replaced.
        kept: the whole results of the frames asked for.
        crops: of these frames, by track id.
    """

    path: Path
    fps: float
    faces: list[list[Seen]] = field(default_factory=list)
    replaced: list[float] = field(default_factory=list)
    kept: dict[int, UnmaskResult] = field(default_factory=dict)
    crops: dict[int, dict[int, Crop]] = field(default_factory=dict)


def run_video(
    path: Path, target: Path, unmasker: CropRecorder, keep: Collection[int] = (), every: int = 0
) -> VideoRun:
    """Unmask a video file into another, with the smoothing and gap closing of `unmask video`.

    Args:
        path: the video.
        target: the file to write.
        unmasker: in mode "video"; it is reset first.
        keep: numbers of the frames whose results are kept.
        every: keep the results of the frames of this step as well; 0: of none.
    """
    with VideoReader(path) as file:
        run = VideoRun(path, float(file.frame_rate))

    def see(result: UnmaskResult) -> None:
        number = len(run.faces)
        run.faces.append(faces_of(result))
        run.replaced.append(float(np.mean(result.replaced > 0)))
        if number in keep or (every > 0 and number % every == 0):
            run.kept[number] = result

    unmask_video(path, target, unmasker, VideoOptions(overwrite=True), on_result=see)
    run.crops = {number: unmasker.crops[number] for number in run.kept}
    return run


def read_marks(path: Path) -> dict[Path, Marks]:
    """Read marked boxes by video: `{"name": {"frame": [[x0, y0, x1, y1], ...]}}`.

    Returns:
        The marks of each video that lies beside the file as `name.mp4`.

    Raises:
        UserError: the file cannot be read, is no such JSON, or a video is missing.
    """
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
        marks = {
            path.with_name(f"{name}.mp4"): {
                int(frame): [(float(a), float(b), float(c), float(d)) for a, b, c, d in boxes]
                for frame, boxes in frames.items()
            }
            for name, frames in read.items()
        }
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise UserError(f"{path}: not a file of marked boxes ({error})") from None
    for video in marks:
        if not video.is_file():
            raise UserError(f"{video}: no such video beside {path.name}")
    return marks


def masked_videos(options: FindOptions, folder: Path) -> dict[Path, Marks]:
    """The videos of masked people with their marks; without any the demo's clip, written to `folder`."""
    videos = {} if options.marked is None else read_marks(options.marked)
    if options.videos:
        videos |= {path: {} for path in clips_in(options.videos) if path not in videos}
    if videos:
        return videos
    clip, path = DemoClip(), folder / "demo-masked.mp4"
    write_clip(path, clip.masked_bgr(), clip.path.fps)
    marked = range(_MARK_EVERY, clip.path.frames, _MARK_EVERY)
    return {path: {number: [_landmark_box(clip, number)] for number in marked}}


def _landmark_box(clip: DemoClip, number: int) -> Box:
    points = clip.landmarks(number)
    (x0, y0), (x1, y1) = points.min(0), points.max(0)
    return float(x0), float(y0), float(x1), float(y1)


def bare_videos(options: FindOptions, folder: Path) -> list[Path]:
    """The videos of bare people; without any the demo's clip without its mask, written to `folder`."""
    if options.bare:
        return clips_in(options.bare)
    clip, path = DemoClip(), folder / "demo-bare.mp4"
    frames = (clip.truth_rgb(number)[:, :, ::-1] for number in range(clip.path.frames))
    write_clip(path, (np.ascontiguousarray(frame) for frame in frames), clip.path.fps)
    return [path]
