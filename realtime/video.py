"""Unmasks a video file: every frame, in order, with the source's timestamps and sound."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inpaint_model.errors import UserError
from realtime.media.background import ReadAhead, WriteBehind
from realtime.media.output import check_paths, complete_or_absent
from realtime.media.sink import Encoding, VideoWriter, container_format
from realtime.media.source import Frame, Piece, VideoFile
from realtime.report import Counts, FrameUnmasker, Report, StageTimes, SteppedUnmasker
from realtime.unmasker import Seen, UnmaskResult

_DEPTH = 4
Progress = Callable[[int, int], None]
"""Called with the frames done and the frames expected (0: not known)."""


@dataclass(frozen=True)
class VideoOptions:
    """How a file is written.

    Attributes:
        side_by_side: source and result beside each other.
        overwrite: replace an output that exists.
        encoding: quality and effort.
    """

    side_by_side: bool = False
    overwrite: bool = False
    encoding: Encoding = Encoding()  # noqa: RUF009 (frozen)


@dataclass(frozen=True, eq=False)
class _Done:
    """A piece on its way to the writer, with the picture to write."""

    piece: Piece
    image_bgr: NDArray[np.uint8] | None


def check_video(source: Path, target: Path, options: VideoOptions) -> None:
    """Refuse what cannot work, before any model is loaded.

    Raises:
        UserError: a path cannot be used, or the source is no whole video.
    """
    check_paths(source, target, overwrite=options.overwrite)
    container_format(target)
    VideoFile(source).close()


def unmask_video(
    source: Path,
    target: Path,
    unmasker: FrameUnmasker,
    options: VideoOptions | None = None,
    progress: Progress | None = None,
) -> Report:
    """Unmask a video file.

    Four threads, joined by short queues, so that memory does not grow with the video: decoding,
    finding faces, the rest of the unmasker (the caller's thread), encoding. `target` appears only
    when all is done. Where no mask was found it is a copy of the source.

    Args:
        source: a video file.
        target: the file to write, .mp4, .m4v, .mov or .mkv.
        unmasker: called on each frame; reset first.
        options: how to write.
        progress: told after each frame.

    Raises:
        UserError: the source is no whole video, holds no face, or the target cannot be written.
    """
    options = options or VideoOptions()
    check_video(source, target, options)
    unmasker.reset()
    counts, times = Counts(), StageTimes()
    began = time.perf_counter()
    with VideoFile(source) as file:
        with complete_or_absent(target) as temporary:
            with VideoWriter(temporary, target, file, options.encoding) as writer:
                _run(file, writer, unmasker, options, counts, times, progress)
            if not counts.faces:
                raise UserError(f"{source}: no face found in {counts.frames} frames")
            seconds = time.perf_counter() - began
            if not counts.masked_faces:
                file.warnings.append(_keep(source, target, temporary, options))
        return Report.of(counts, times, seconds, unmasker, file.warnings)


def _run(
    file: VideoFile,
    writer: VideoWriter,
    unmasker: FrameUnmasker,
    options: VideoOptions,
    counts: Counts,
    times: StageTimes,
    progress: Progress | None,
) -> None:
    """The three stages, until the file ends or one of them raises."""
    encode_times, decode_times = StageTimes(), StageTimes()

    def write(done: _Done) -> None:
        if done.piece.frame is not None and done.image_bgr is not None:
            began = time.perf_counter()
            writer.write(done.piece.frame, done.image_bgr)
            encode_times.add({"encode": (time.perf_counter() - began) * 1e3})
        writer.copy(done.piece.packets)

    expected = file.expected_frames
    pieces = _timed(file, decode_times)
    with (
        ReadAhead(pieces, _DEPTH) as ahead,
        ReadAhead(_looked(ahead, unmasker), 1) as looked,
        WriteBehind(write, _DEPTH) as behind,
    ):
        for piece, seen in looked:
            image_bgr = None
            if piece.frame is not None:
                result = _unmask(piece.frame, seen, unmasker)
                counts.add(result)
                times.add(result.latency_ms)
                image_bgr = result.frame
                if options.side_by_side:
                    image_bgr = np.hstack([piece.frame.image_bgr, result.frame])
                if progress is not None:
                    progress(counts.frames, expected)
            behind.put(_Done(piece, image_bgr))
    times.merge(decode_times, first=True)
    times.merge(encode_times)


def _looked(
    pieces: Iterable[Piece], unmasker: FrameUnmasker
) -> Iterator[tuple[Piece, Seen | None]]:
    """Take the unmasker's first step, where it has two."""
    for piece in pieces:
        seen = None
        if piece.frame is not None and isinstance(unmasker, SteppedUnmasker):
            seen = unmasker.look(piece.frame.image_bgr)
        yield piece, seen


def _unmask(frame: Frame, seen: Seen | None, unmasker: FrameUnmasker) -> UnmaskResult:
    if seen is not None and isinstance(unmasker, SteppedUnmasker):
        return unmasker.finish(seen)
    return unmasker(frame.image_bgr)


def _timed(file: VideoFile, times: StageTimes) -> Iterator[Piece]:
    """Pass pieces on, noting how long each frame took to read."""
    began = time.perf_counter()
    for piece in file:
        if piece.frame is not None:
            times.add({"decode": (time.perf_counter() - began) * 1e3})
        yield piece
        began = time.perf_counter()


def _keep(source: Path, target: Path, temporary: Path, options: VideoOptions) -> str:
    """Where nothing was replaced, put the source itself in the target's place if it can be."""
    if options.side_by_side or source.suffix.lower() != target.suffix.lower():
        return "no mask found: nothing was replaced"
    shutil.copyfile(source, temporary)
    return "no mask found: the output is a copy of the input"
