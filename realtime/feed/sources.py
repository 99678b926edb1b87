"""What the feed reads: a video, a picture, a folder of pictures, a camera or a network stream."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from inpaint_model.errors import UserError
from realtime.capture import CaptureOptions, Reconnecting, check_source, open_capture
from realtime.frames import UnmaskResult
from realtime.live.pipeline import LivePipeline
from realtime.media.colour import FAST, ToBgr, frame_bytes
from realtime.media.kinds import is_picture, walk_files
from realtime.media.picture_reader import read_picture
from realtime.media.reader import VideoReader
from realtime.runtime.links import Ordered
from realtime.runtime.pipeline import Pipeline
from realtime.stages import FrameUnmasker
from realtime.unmasker import Mode
from realtime.video.look_ahead import HeldFrames, look_ahead_stages

Notify = Callable[[str], None]
"""Called with one line for the user."""


@dataclass(frozen=True, eq=False)
class FeedFrame:
    """One frame of a source, unmasked.

    Attributes:
        source: the name of what was read, without passwords.
        index: the number of the frame, from 0.
        time_s: when it is shown, seconds of the source's clock.
        image_bgr: uint8 [H, W, 3], BGR, the given frame.
        result: of the unmasker.
        captured_at: live: when it came, UTC, ISO 8601; else None.
        dropped_frames: live: frames left out so far; else None.
        first_track_id: is added to the result's track ids.
    """

    source: str
    index: int
    time_s: float
    image_bgr: NDArray[np.uint8]
    result: UnmaskResult
    captured_at: str | None = None
    dropped_frames: int | None = None
    first_track_id: int = 0


class FeedSource(Protocol):
    """A source that is open.

    Attributes:
        name: of what is read, without passwords.
        mode: of the unmasker; "live": frames that come while others are processed are left out.
        content_key: the same for the same content; live: another one in each run.
        warnings: one line each, complete at the end.
        failed: how many files could not be read.
    """

    name: str
    mode: Mode
    content_key: str
    warnings: list[str]
    failed: int

    def frames(self, unmasker: FrameUnmasker) -> Iterator[FeedFrame]:
        """Yield every frame, or the newest ones of a live source."""
        ...

    def close(self) -> None:
        """Free the file or the device."""
        ...


@dataclass(frozen=True)
class LiveOptions:
    """How a live source is read.

    Attributes:
        capture: how it is opened.
        seconds: stop this long after the first frame; None: never.
        notify: called with lines for the user.
    """

    capture: CaptureOptions = field(default_factory=CaptureOptions)
    seconds: float | None = None
    notify: Notify = lambda _line: None


def open_source(source: str, live: LiveOptions | None = None) -> FeedSource:
    """Open what the user named: a folder or file is read to its end, anything else is live.

    Raises:
        UserError: there is no such source, or it holds no picture and no video.
    """
    path = Path(source)
    if "://" not in source and path.is_dir():
        return PictureSource(path, _pictures_in(path))
    if "://" not in source and path.is_file():
        return PictureSource(path, [path]) if is_picture(path) else VideoSource(path)
    check_source(source)
    return LiveFeedSource(source, live or LiveOptions())


def _pictures_in(folder: Path) -> list[Path]:
    found = [path for path in walk_files(folder) if is_picture(path)]
    if not found:
        raise UserError(f"{folder}: contains no picture")
    return found


@dataclass(frozen=True, eq=False)
class _DecodedFrame:
    """A frame of a recording, upright, uint8 [H, W, 3] BGR; nothing is written back, so `FAST` will do."""

    index: int
    time_s: float
    image_bgr: NDArray[np.uint8]


class VideoSource:
    """A recording: every frame, in order, smoothed with frames from both sides."""

    mode: Mode = "video"
    failed = 0

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._reader = VideoReader(path)
        self.warnings = self._reader.warnings
        with path.open("rb") as file:
            self.content_key = hashlib.file_digest(file, "sha256").hexdigest()

    def frames(self, unmasker: FrameUnmasker) -> Iterator[FeedFrame]:
        """Yield every frame."""
        held = HeldFrames.of_size(frame_bytes(self._reader.first_frame().native))
        stages, policy = look_ahead_stages(unmasker, held), held.policy or Ordered(depth=1)
        with Pipeline(self._decoded(), stages, policy) as pipeline:
            for frame, result in pipeline:
                yield FeedFrame(self.name, frame.index, frame.time_s, frame.image_bgr, result)

    def _decoded(self) -> Iterator[_DecodedFrame]:
        to_bgr = ToBgr(FAST)
        for frame in self._reader:
            yield _DecodedFrame(frame.index, frame.time_s, to_bgr(frame.native))

    def close(self) -> None:
        """Close the file."""
        self._reader.close()


class PictureSource:
    """Pictures that have nothing to do with one another; one that cannot be read is left out."""

    mode: Mode = "image"

    def __init__(self, source: Path, pictures: list[Path]) -> None:
        self.name, self._pictures = str(source), pictures
        self.warnings: list[str] = []
        self.failed = 0
        self.content_key = hashlib.sha256(
            json.dumps([[str(path), *_stamp(path)] for path in pictures]).encode()
        ).hexdigest()

    def frames(self, unmasker: FrameUnmasker) -> Iterator[FeedFrame]:
        """Yield each picture as a frame; track ids go on from picture to picture."""
        first_track_id = 0
        for index, path in enumerate(self._pictures):
            try:
                picture = read_picture(path)
            except UserError as error:
                if len(self._pictures) == 1:
                    raise
                self.failed += 1
                self.warnings.append(f"left out: {error}")
                continue
            unmasker.reset()
            image_bgr = picture.bgr
            result = unmasker(image_bgr)
            yield FeedFrame(str(path), index, 0.0, image_bgr, result, first_track_id=first_track_id)
            first_track_id += max((face.track_id + 1 for face in result.faces), default=0)

    def close(self) -> None:
        """Nothing is open."""


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


class LiveFeedSource:
    """A camera or a network stream: the newest frame wins, and frames that are left out are counted."""

    mode: Mode = "live"
    failed = 0

    def __init__(self, source: str, options: LiveOptions) -> None:
        self._options = options
        self._capture: Reconnecting = open_capture(source, options.capture, options.notify)
        self.name = self._capture.name
        self.warnings = self._capture.warnings
        self.content_key = uuid.uuid4().hex

    def frames(self, unmasker: FrameUnmasker) -> Iterator[FeedFrame]:
        """Yield the newest frame whenever one is ready, until the source ends or the time is up."""
        clock_offset_s = time.time() - time.perf_counter()
        first_s = None
        with LivePipeline(self._capture, unmasker) as pipeline:
            for processed in pipeline:
                captured = processed.captured
                first_s = captured.captured_s if first_s is None else first_s
                time_s = captured.captured_s - first_s
                if self._options.seconds is not None and time_s > self._options.seconds:
                    return
                at = datetime.fromtimestamp(captured.captured_s + clock_offset_s, UTC)
                yield FeedFrame(
                    self.name,
                    captured.index,
                    time_s,
                    captured.image_bgr,
                    processed.result,
                    at.isoformat(timespec="milliseconds"),
                    pipeline.dropped,
                )

    def close(self) -> None:
        """Release the device."""
        self._capture.close()
