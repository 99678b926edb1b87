"""Records a live run to a video file, and saves single pictures of it."""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import datetime
from fractions import Fraction
from pathlib import Path

import av.error
import numpy as np
from numpy.typing import NDArray

from inpaint_model.errors import UserError
from realtime.media.atomic_file import atomic_write
from realtime.media.clip import ClipWriter
from realtime.media.picture import Picture
from realtime.media.picture_writer import write_picture
from realtime.runtime.pipeline import Ended, LatestWins, Link

_TIME_BASE = Fraction(1, 90_000)
_CRF = 18  # x264's constant quality


def timestamped_path(folder: Path, suffix: str) -> Path:
    """Return a path with the date and time in its name that does not exist yet."""
    name = f"unmask-{datetime.now():%Y%m%d-%H%M%S}"
    path = folder / f"{name}{suffix}"
    for number in range(2, 1000):
        if not path.exists():
            break
        path = folder / f"{name}-{number}{suffix}"
    return path


def save_picture(folder: Path, image_bgr: NDArray[np.uint8], *, synthetic: bool) -> Path:
    """Write a PNG file, and return its path.

    Args:
        folder: where.
        image_bgr: uint8 [H, W, 3], BGR.
        synthetic: it shows a synthetic face, which a note in the file then says.

    Raises:
        UserError: it cannot be written.
    """
    target = timestamped_path(folder, ".png")
    with atomic_write(target) as temporary:
        write_picture(temporary, target, Picture(image_bgr), synthetic=synthetic)
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
        self._frames: Link[tuple[NDArray[np.uint8], float, bool]] = Link(LatestWins())
        self._error: BaseException | None = None
        self._shape: tuple[int, ...] | None = None
        self._thread = threading.Thread(target=self._run, name="live recorder")
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Frames that were dropped because the encoder was too slow."""
        return self._frames.dropped

    def takes(self, image_bgr: NDArray[np.uint8]) -> bool:
        """Say whether a frame has the size of the frames before it; one file has one size."""
        return self._shape in (None, image_bgr.shape)

    def put(self, image_bgr: NDArray[np.uint8], captured_s: float, *, synthetic: bool) -> None:
        """Record a frame that `takes` accepts.

        Args:
            image_bgr: uint8 [H, W, 3], BGR.
            captured_s: when it was captured, by `time.perf_counter()`.
            synthetic: it shows a synthetic face; a file with such a frame carries the note.

        Raises:
            UserError: the file cannot be written.
        """
        if self._error is not None:
            raise self._error
        self._shape = image_bgr.shape
        self._frames.put((image_bgr, captured_s, synthetic))

    def _run(self) -> None:
        try:
            with atomic_write(self.target) as temporary:
                self._write(temporary)
        except av.error.FFmpegError as error:
            self._error = UserError(f"{self.target}: cannot be written ({error.strerror})")
        except BaseException as error:
            self._error = error

    def _write(self, path: Path) -> None:
        began_s, last_pts = 0.0, -1
        with ClipWriter(path, self._fps, _CRF, "ultrafast", _TIME_BASE) as writer, suppress(Ended):
            while (item := self._frames.take()) is not None:
                image_bgr, captured_s, synthetic = item
                began_s = captured_s if last_pts < 0 else began_s
                last_pts = max(round((captured_s - began_s) / _TIME_BASE), last_pts + 1)
                writer.write(image_bgr, last_pts, synthetic=synthetic)
        if not writer.frames:
            raise UserError(f"{self.target}: nothing was recorded")

    def close(self) -> None:
        """Finish the file.

        Raises:
            UserError: it could not be written.
        """
        self._frames.close()
        self._thread.join()
        if self._error is not None:
            raise self._error
