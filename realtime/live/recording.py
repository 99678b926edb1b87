"""Records a live run to a video file, and saves single pictures of it."""

from __future__ import annotations

import threading
from datetime import datetime
from fractions import Fraction
from pathlib import Path

import av
import av.error
import numpy as np
from numpy.typing import NDArray

from inpaint_model.errors import UserError
from realtime.media.atomic_file import SYNTHETIC_NOTE, atomic_write
from realtime.media.colour import from_bgr
from realtime.media.pictures import Picture, write_picture
from realtime.runtime.pipeline import Ended, LatestWins, Link

_TIME_BASE = Fraction(1, 90_000)
_BT709, _LIMITED = 1, 1  # FFmpeg's AVCOL_SPC and AVCOL_RANGE numbers


def timestamped_path(folder: Path, suffix: str) -> Path:
    """Return a path with the date and time in its name that does not exist yet."""
    name = f"unmask-{datetime.now():%Y%m%d-%H%M%S}"
    path = folder / f"{name}{suffix}"
    for number in range(2, 1000):
        if not path.exists():
            break
        path = folder / f"{name}-{number}{suffix}"
    return path


def save_picture(folder: Path, image_bgr: NDArray[np.uint8]) -> Path:
    """Write a PNG file with the note that it is synthetic, and return its path.

    Raises:
        UserError: it cannot be written.
    """
    target = timestamped_path(folder, ".png")
    with atomic_write(target) as temporary:
        write_picture(temporary, target, Picture(image_bgr))
    return target


class Recorder:
    """Writes an MP4 file in its own thread; the frames' timestamps are their capture times.

    If the encoder is too slow, frames are dropped from the file; the caller never waits.

    Args:
        target: the file; it appears on `close`.
        fps: the approximate frame rate.

    Attributes:
        target: as given.
    """

    def __init__(self, target: Path, fps: float) -> None:
        self.target, self._fps = target, max(round(fps), 1)
        self._frames: Link[tuple[NDArray[np.uint8], float]] = Link(LatestWins())
        self._error: BaseException | None = None
        self._shape: tuple[int, ...] | None = None
        self._thread = threading.Thread(target=self._run, name="live recorder")
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Frames that were dropped because the encoder was too slow."""
        return self._frames.dropped

    def put(self, image_bgr: NDArray[np.uint8], captured_s: float) -> None:
        """Record a frame, uint8 [H, W, 3] BGR; `captured_s` is its `time.perf_counter()`.

        Raises:
            UserError: the file cannot be written, or the frame's size changed.
        """
        if self._error is not None:
            raise self._error
        if self._shape not in (None, image_bgr.shape):
            raise UserError(f"{self.target}: the frame size changed")
        self._shape = image_bgr.shape
        self._frames.put((image_bgr, captured_s))

    def _run(self) -> None:
        try:
            with atomic_write(self.target) as temporary:
                self._write(temporary)
        except av.error.FFmpegError as error:
            self._error = UserError(f"{self.target}: cannot be written ({error.strerror})")
        except BaseException as error:
            self._error = error

    def _write(self, path: Path) -> None:
        with av.open(str(path), "w", format="mp4") as file:
            file.metadata["comment"] = SYNTHETIC_NOTE
            stream = file.add_stream("libx264", rate=self._fps)
            stream.codec_context.options = {"crf": "18", "preset": "ultrafast"}
            stream.codec_context.time_base = _TIME_BASE
            stream.codec_context.colorspace, stream.codec_context.color_range = _BT709, _LIMITED
            began_s, last_pts = 0.0, -1
            while True:
                try:
                    item = self._frames.take()
                except Ended:
                    break
                assert item is not None
                image_bgr, captured_s = item
                if last_pts < 0:
                    began_s = captured_s
                    stream.height, stream.width = image_bgr.shape[:2]
                    even = stream.height % 2 == stream.width % 2 == 0
                    stream.pix_fmt = "yuv420p" if even else "yuv444p"
                frame = from_bgr(image_bgr, stream.pix_fmt or "yuv420p", _BT709, _LIMITED)
                pts = max(round((captured_s - began_s) / _TIME_BASE), last_pts + 1)
                frame.pts, frame.time_base, last_pts = pts, _TIME_BASE, pts
                file.mux(stream.encode(frame))
            if last_pts < 0:
                raise UserError(f"{self.target}: nothing was recorded")
            file.mux(stream.encode(None))

    def close(self) -> None:
        """Finish the file.

        Raises:
            UserError: it could not be written.
        """
        self._frames.close()
        self._thread.join()
        if self._error is not None:
            raise self._error
