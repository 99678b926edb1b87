"""Unmasks a video file: every frame in order, with the source's timestamps, sound and other streams."""

from __future__ import annotations

import shutil
import time
from dataclasses import asdict, replace
from fractions import Fraction
from pathlib import Path
from typing import Self

from inpaint_model.errors import UserError
from realtime.media.atomic_file import (
    TargetTakenError,
    atomic_write,
    check_free,
    check_paths,
    place_of,
    remove_unfinished,
)
from realtime.media.codecs import check_encoding, container_format
from realtime.media.frames import Span
from realtime.media.gop_copy import GopCopier
from realtime.media.muxing import mux_output
from realtime.media.output_check import check_readable
from realtime.media.reader import VideoReader
from realtime.media.segment_encoder import SegmentEncoder
from realtime.media.segment_store import SegmentStore
from realtime.media.stream_copy import Cut
from realtime.runtime.face_records import RecordCall
from realtime.runtime.report import Counts, Report
from realtime.stages import FrameUnmasker
from realtime.video.pipeline import OutputOptions, ProgressCall, ResultCall, VideoPipeline
from realtime.video.plan import VideoOptions, plan_output
from realtime.video.resume import OtherJobError, begin_or_resume, resume_facts


class VideoJob:
    """A video file that is open, checked and ready to be unmasked once.

    The source is opened once for checking and decoding, and its first frame is decoded once. Planning and
    the final muxing open it again, because the other streams are read from their start.
    Open the job before the models are loaded: bad input is then refused at once.

    Args:
        source: a video file.
        target: the file to write; its suffix selects the container.
        options: what to do and how to encode.

    Raises:
        UserError: a path cannot be used, the source is not a complete video, or the target's format
            cannot hold it.
    """

    def __init__(self, source: Path, target: Path, options: VideoOptions | None = None) -> None:
        self._target, self._options = target, options or VideoOptions()
        self._place = place_of(target)
        check_paths(source, target, overwrite=self._options.overwrite)
        span = self._options.span
        if span.end_s is not None and span.end_s <= span.start_s:
            raise UserError("--end: must be later than --start")
        self._file = VideoReader(source, keep_packets=self._options.copy_untouched)
        try:
            container_format(target)
            check_encoding(target, self._options.encoding)
            _check_span(self._file, span)
            self._plan = plan_output(self._file, target, self._options)
        except BaseException:
            self._file.close()
            raise
        self._warnings = list(self._plan.warnings)

    def run(
        self,
        unmasker: FrameUnmasker,
        progress: ProgressCall | None = None,
        on_result: ResultCall | None = None,
        on_record: RecordCall | None = None,
    ) -> Report:
        """Unmask the video and write the target.

        Encoded frames are stored in a file in the target's folder until all are done; the target appears
        only when it is complete. If no face or no mask was found, it is a copy of the source, and a warning
        says so.

        Args:
            unmasker: called on each frame; reset first.
            progress: called after each frame.
            on_result: called with the result of each frame, before it is encoded.
            on_record: called with the record of each face in each frame once all frames are done, those of
                an earlier run that is resumed included.

        Raises:
            UserError: the source is damaged beyond use, or the target cannot be written.
        """
        unmasker.reset()
        with SegmentStore(self._place) as store:
            try:
                remove_unfinished(self._place)
                check_free(self._target, overwrite=self._options.overwrite)
                report = self._unmask(store, unmasker, progress, on_result)
                if on_record is not None:
                    for record in store.records():
                        on_record(record)
            except BaseException as error:
                keep = self._options.resume and store.has_segments()
                keep = keep and not isinstance(error, TargetTakenError)
                if not (keep or isinstance(error, OtherJobError)):
                    store.remove()
                raise
            store.remove()
            return report

    def _unmask(
        self,
        store: SegmentStore,
        unmasker: FrameUnmasker,
        progress: ProgressCall | None,
        on_result: ResultCall | None,
    ) -> Report:
        began_s = time.perf_counter()
        file, plan, options = self._file, self._plan, self._options
        earlier = begin_or_resume(store, self._resume_facts(unmasker), resume=options.resume)
        self._warnings += earlier.warnings
        counts, done = earlier.counts, earlier.progress
        frames, expected = file.frames(options.span, done), file.expected_frames(options.span)
        gop_copier = GopCopier(file.video) if options.copy_untouched else None
        pipeline = VideoPipeline(
            unmasker,
            SegmentEncoder(store, plan.encoder, plan.properties, gop_copier),
            plan.encoder.pixel_format,
            OutputOptions(options.side_by_side, options.badge, options.segment_frames),
        )
        times = pipeline.run(frames, counts, expected, progress, on_result)
        self._warnings += file.warnings
        self._write_target(store, counts)
        seconds = time.perf_counter() - began_s
        return Report.of(
            counts, times, seconds, unmasker, self._warnings, earlier_frames=done.frames
        )

    def _resume_facts(self, unmasker: FrameUnmasker) -> dict[str, object]:
        result_options = asdict(replace(self._options, overwrite=False, resume=False))
        return resume_facts(self._file.path, result_options, self._plan, unmasker.artefacts)

    def _write_target(self, store: SegmentStore, counts: Counts) -> None:
        """Write the complete file under a temporary name, then give it its own."""
        source, target, plan, span = self._file.path, self._target, self._plan, self._options.span
        overwrite = self._options.overwrite
        with atomic_write(target, overwrite=overwrite, source=source) as temporary:
            if not counts.masked_faces and self._may_copy_source():
                self._warnings.append(f"{counts.outcome} found: the output is a copy of the input")
                shutil.copyfile(source, temporary)
            else:
                if not counts.masked_faces:
                    self._warnings.append(f"{counts.outcome} found: nothing was replaced")
                cut = Cut(span, self._shift_s(store))
                self._warnings += mux_output(
                    temporary,
                    target,
                    store,
                    source,
                    plan,
                    cut,
                    synthetic=counts.masked_faces > 0,
                )
                check_readable(temporary, target)

    def _shift_s(self, store: SegmentStore) -> Fraction:
        """Return the time that becomes 0:00 in the target, seconds; 0: times stay.

        The clock of a transport stream may begin below 0. In MP4 such frames would be hidden.
        """
        first_s = next(store.times()) * self._plan.properties.time_base
        if not self._options.span.is_whole:
            return first_s
        has_edit_list = "mov" in self._file.container.format.name.split(",")
        return Fraction(0) if first_s >= 0 or has_edit_list else min(first_s, self._file.origin_s)

    def _may_copy_source(self) -> bool:
        """Say whether the source itself fulfils the options if nothing in it was replaced."""
        options, source = self._options, self._file.path
        same_container = source.suffix.lower() == self._target.suffix.lower()
        changed = options.side_by_side or not options.span.is_whole
        changed = changed or options.drop_alpha
        encoded = options.encoding.codec != "auto" or options.encoding.crf is not None
        return same_container and not changed and not encoded

    def close(self) -> None:
        """Close the source."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def unmask_video(
    source: Path,
    target: Path,
    unmasker: FrameUnmasker,
    options: VideoOptions | None = None,
    progress: ProgressCall | None = None,
    on_result: ResultCall | None = None,
    on_record: RecordCall | None = None,
) -> Report:
    """Unmask a video file: open a `VideoJob` and run it.

    Raises:
        UserError: as `VideoJob` and `VideoJob.run`.
    """
    with VideoJob(source, target, options) as job:
        return job.run(unmasker, progress, on_result, on_record)


def _check_span(file: VideoReader, span: Span) -> None:
    """Refuse a part of the video in which there is no frame.

    The stated duration may be wrong, or that of the sound: where that is quick, a frame is looked for.

    Raises:
        UserError: there is no frame between start and end.
    """
    if not span.is_whole and (file.seeks_exactly or not file.expected_frames(span)):
        with VideoReader(file.path) as other:
            next(other.frames(span), None)
