"""Records a live run to a video file, and saves single pictures of it."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from fractions import Fraction
from pathlib import Path

import av.error
import numpy as np
from numpy.typing import NDArray

from inpaint_model.errors import OutputError, UserError
from realtime.media.atomic_file import atomic_write
from realtime.media.clip import ClipWriter, cut_unfinished_fragment
from realtime.media.growing_file import open_numbered
from realtime.media.picture import Picture
from realtime.media.picture_writer import write_picture
from realtime.runtime.links import Ended, LatestWins, Link

_TIME_BASE = Fraction(1, 90_000)
_CRF = 18  # x264's constant quality


def _timestamped(folder: Path, suffix: str) -> Callable[[int], Path]:
    """Return names with the date and time in them: the first, and numbered ones if that is taken."""
    name = f"unmask-{datetime.now():%Y%m%d-%H%M%S}"
    return lambda number: folder / f"{name}{f'-{number}' if number > 1 else ''}{suffix}"


def save_picture(folder: Path, image_bgr: NDArray[np.uint8], *, synthetic: bool) -> Path:
    """Write a PNG file, and return its path.

    Args:
        folder: where.
        image_bgr: uint8 [H, W, 3], BGR.
        synthetic: it shows a synthetic face, which a note in the file then says.

    Raises:
        UserError: it cannot be written.
    """
    names = map(_timestamped(folder, ".png"), itertools.count(1))
    target = next(path for path in names if not path.exists())
    with atomic_write(target, overwrite=False) as temporary:
        write_picture(temporary, target, Picture(image_bgr), synthetic=synthetic)
    return target


class Recorder:
    """Writes an MP4 file in its own thread; the frames' timestamps are their capture times.

    If the encoder is too slow, frames are dropped from the file; the caller never waits. The file can be
    played while it grows, so whatever ends the program or fills the disk, what was recorded stays.

    Args:
        folder: where; the file's name is the date and time.
        fps: the approximate frame rate.

    Attributes:
        target: the file.

    Raises:
        OutputError: the file cannot be made.
    """

    def __init__(self, folder: Path, fps: float) -> None:
        try:
            self.target, self._file = open_numbered(_timestamped(folder, ".mp4"))
        except OSError as error:
            raise OutputError(f"{folder}: cannot be written ({error.strerror})") from None
        self._fps = max(round(fps), 1)
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
            OutputError: the file cannot be written on.
        """
        if self._error is not None:
            raise self._error
        self._shape = image_bgr.shape
        self._frames.put((image_bgr, captured_s, synthetic))

    def _run(self) -> None:
        try:
            with self._file:
                try:
                    self._write()
                except (av.error.FFmpegError, OSError):
                    cut_unfinished_fragment(self._file)
                    raise
        except (av.error.FFmpegError, OSError) as error:
            reason = (self._file.error or error).strerror
            self._error = OutputError(
                f"{self.target}: cannot be written to its end ({reason}); the rest is kept"
            )
        except BaseException as error:
            self._error = error
        finally:
            with suppress(OSError):
                if not self.target.stat().st_size:
                    self.target.unlink()

    def _write(self) -> None:
        began_s, last_pts = 0.0, -1
        writer = ClipWriter(self._file, self._fps, _CRF, "ultrafast", _TIME_BASE, playable=True)
        with writer, suppress(Ended):
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
