"""Unmasks a video file: every frame, in order, with the source's timestamps and everything else in it."""

from __future__ import annotations

import hashlib
import itertools
import shutil
import time
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path

import av

from inpaint_model.errors import UserError
from realtime.media.atomic_file import check_paths, settle
from realtime.media.codecs import Encoding, check_encoding, container_format
from realtime.media.encoder_choice import EncoderChoice, choose_encoder
from realtime.media.frames import Frame, Progress, Span
from realtime.media.gop_copy import GopCopier
from realtime.media.muxing import assemble
from realtime.media.reader import VideoReader
from realtime.media.segment_encoder import SegmentEncoder
from realtime.media.segment_store import SegmentStore, finishing_path
from realtime.media.stream_copy import Cut, plan_copies
from realtime.media.stream_properties import StreamProperties, header_digest, stream_properties
from realtime.runtime.report import Counts, NoFaceError, Report
from realtime.runtime.stage_times import StageTimes
from realtime.stages import FrameUnmasker
from realtime.video.pipeline import Line, LineOptions, ProgressCall, ResultCall


@dataclass(frozen=True)
class VideoOptions:
    """How a file is written.

    Attributes:
        side_by_side: source and result beside each other.
        badge: a line in the picture says where faces are synthetic.
        overwrite: replace an output that exists.
        resume: go on where an interrupted run stopped, and keep what is done when interrupted.
        span: the part of the source.
        encoding: codec and quality.
        copy_untouched: groups of frames in which nothing was replaced stay as they were coded.
        segment_frames: so many frames are kept together against a crash.
    """

    side_by_side: bool = False
    badge: bool = False
    overwrite: bool = False
    resume: bool = False
    span: Span = Span()  # noqa: RUF009 (frozen)
    encoding: Encoding = Encoding()  # noqa: RUF009 (frozen)
    copy_untouched: bool = False
    segment_frames: int = 150


@dataclass(frozen=True)
class _Plan:
    """What is decided before the first frame is worked on."""

    coding: EncoderChoice
    look: StreamProperties
    copied: set[int]
    notes: list[str]


def check_video(source: Path, target: Path, options: VideoOptions) -> None:
    """Refuse what cannot work, before any model is loaded.

    Raises:
        UserError: a path cannot be used, the source is no whole video, or the target cannot hold it.
    """
    check_paths(source, target, overwrite=options.overwrite)
    container_format(target)
    check_encoding(target, options.encoding)
    span = options.span
    if span.end_s is not None and span.end_s <= span.start_s:
        raise UserError("--end: must be later than --start")
    with VideoReader(source) as file:
        frame = next(iter(file))
        _plan(file, frame, target, options)


def _plan(file: VideoReader, frame: Frame, target: Path, options: VideoOptions) -> _Plan:
    copied, notes = plan_copies(file, target)
    try:
        coding = choose_encoder(frame.native, target, options.encoding)
    except UserError as error:
        raise UserError(f"{file.path}: {error}") from None
    if options.copy_untouched:
        GopCopier(file.video)
        if coding.encoder != "libx264" or options.side_by_side:
            raise UserError("--copy-untouched: the result must be H.264, of the source's size")
    beside = 2 if options.side_by_side else 1
    look = stream_properties(frame.native, file.video, file.frame_rate, beside=beside)
    return _Plan(coding, look, copied, [*coding.notes, *notes])


def unmask_video(
    source: Path,
    target: Path,
    unmasker: FrameUnmasker,
    options: VideoOptions | None = None,
    progress: ProgressCall | None = None,
    on_result: ResultCall | None = None,
) -> Report:
    """Unmask a video file.

    Coded frames lie in a file beside `target` until all are done; `target` appears only when it is
    complete. Where no mask was found it is a copy of the source.

    Args:
        source: a video file.
        target: the file to write; its suffix is the format.
        unmasker: called on each frame; reset first.
        options: what to do and how to write.
        progress: told after each frame.
        on_result: given the result of each frame, before it is encoded.

    Raises:
        UserError: the source is no whole video, holds no face, or the target cannot be written.
    """
    options = options or VideoOptions()
    check_video(source, target, options)
    unmasker.reset()
    keep_packets = options.copy_untouched
    with VideoReader(source, keep_packets=keep_packets) as file, SegmentStore(target) as spool:
        try:
            report = _unmask(file, target, spool, unmasker, options, progress, on_result)
        except BaseException as error:
            keep = options.resume and spool.segments()
            if isinstance(error, NoFaceError) or not (keep or isinstance(error, OtherJobError)):
                spool.remove()
            raise
        spool.remove()
        return report


class OtherJobError(UserError):
    """What an interrupted run left belongs to another source or other options."""


def _unmask(
    file: VideoReader,
    target: Path,
    spool: SegmentStore,
    unmasker: FrameUnmasker,
    options: VideoOptions,
    progress: ProgressCall | None,
    on_result: ResultCall | None,
) -> Report:
    began = time.perf_counter()
    with VideoReader(file.path) as peek:
        plan = _plan(peek, next(iter(peek)), target, options)
    file.warnings += plan.notes
    facts = _facts(file.path, unmasker, options, plan)
    counts, done = _earlier(file, spool, facts, options)
    copier = GopCopier(file.video) if options.copy_untouched else None
    line = Line(
        unmasker,
        SegmentEncoder(spool, plan.coding, plan.look, copier),
        plan.coding.pixel_format,
        LineOptions(options.side_by_side, options.badge, options.segment_frames),
    )
    frames = file.frames(options.span, done)
    first = next(frames, None)
    times = StageTimes()
    if first is not None:
        expected = file.expected_frames(options.span)
        all_frames = itertools.chain([first], frames)
        times = line.run(all_frames, counts, expected, progress, on_result)
    if not counts.faces:
        raise NoFaceError(f"{file.path}: no face found in {counts.frames} frames")
    _finish(file, target, spool, plan, counts, options)
    return Report.of(
        counts, times, time.perf_counter() - began, unmasker, file.warnings, done.frames
    )


def _facts(
    source: Path, unmasker: FrameUnmasker, options: VideoOptions, plan: _Plan
) -> dict[str, object]:
    """Say what must be the same for an interrupted job to go on."""
    wishes = asdict(replace(options, overwrite=False, resume=False))
    return {
        "source": identity(source),
        "wishes": {name: repr(value) for name, value in wishes.items()},
        "model": unmasker.inpainter.model_sha256,
        "coding": [plan.coding.encoder, plan.coding.pixel_format],
        "header": header_digest(plan.coding, plan.look),
        "av": av.__version__,
    }


def identity(path: Path) -> list[int | str]:
    """Return what tells a file from another, or from itself before a change."""
    size, span = path.stat().st_size, 1 << 20
    digest = hashlib.sha256()
    with path.open("rb") as file:
        digest.update(file.read(span))
        file.seek(max(size - span, 0))
        digest.update(file.read(span))
    return [size, path.stat().st_mtime_ns, digest.hexdigest()]


def _earlier(
    file: VideoReader, spool: SegmentStore, facts: dict[str, object], options: VideoOptions
) -> tuple[Counts, Progress]:
    """Return what an interrupted run of this job has done already."""
    counts = Counts()
    segments = spool.segments()
    if options.resume and segments and not spool.holds(facts):
        raise OtherJobError(
            f"{spool.path}: was begun from another source or with other options; "
            "run without --resume to begin anew"
        )
    if not (options.resume and segments):
        if segments:
            file.warnings.append("an unfinished run was thrown away; --resume would have gone on")
        spool.begin(facts)
        return counts, Progress()
    for segment in segments:
        counts.merge(segment.notes)
    done = Progress(counts.frames, segments[-1].last_pts)
    file.warnings.append(f"resumed after {done.frames} frames that were done")
    return counts, done


def _finish(
    file: VideoReader,
    target: Path,
    spool: SegmentStore,
    plan: _Plan,
    counts: Counts,
    options: VideoOptions,
) -> None:
    """Put the file together under another name, and name it when it is whole."""
    temporary = finishing_path(target)
    try:
        if not counts.masked_faces and _is_copy(file.path, target, options):
            file.warnings.append("no mask found: the output is a copy of the input")
            shutil.copyfile(file.path, temporary)
        else:
            if not counts.masked_faces:
                file.warnings.append("no mask found: nothing was replaced")
            shift_s = Fraction(0)
            if not options.span.is_whole:
                shift_s = next(spool.times()) * plan.look.time_base
            cut = Cut(options.span, shift_s)
            assemble(temporary, target, spool, file.path, plan.coding, plan.look, cut, plan.copied)
        settle(temporary, target)
    except OSError as error:
        raise UserError(f"{target}: cannot be written ({error.strerror or error})") from None
    finally:
        temporary.unlink(missing_ok=True)


def _is_copy(source: Path, target: Path, options: VideoOptions) -> bool:
    """Whether the source itself is what was asked for, where nothing in it was replaced."""
    asked_for_more = options.side_by_side or not options.span.is_whole
    chosen = options.encoding.codec != "auto" or options.encoding.crf is not None
    same = source.suffix.lower() == target.suffix.lower()
    return same and not asked_for_more and not chosen
