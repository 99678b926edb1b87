"""The command `unmask video`."""

from __future__ import annotations

from typing import Annotated

import typer

from realtime.cli import options as opts
from realtime.cli.errors import names_source
from realtime.cli.unmasker import finish, open_unmasker
from realtime.runtime.console import FrameProgress, print_status


@names_source
def video(
    source: opts.Input,
    target: opts.Output,
    model: opts.Model = "fast",
    engine: opts.Engine = opts.EngineName.AUTO,
    max_faces: opts.MaxFaces = opts.MAX_FACES,
    models_dir: opts.ModelsDir = None,
    report: opts.ReportPath = None,
    overwrite: opts.Overwrite = False,
    strict: opts.Strict = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue an interrupted run; keep what is done.")
    ] = False,
    side_by_side: opts.SideBySide = False,
    badge: opts.Badge = False,
    drop_alpha: opts.DropAlpha = False,
    start: Annotated[
        str | None, typer.Option(metavar="TIME", help="Start here: seconds, or [h:]mm:ss.")
    ] = None,
    end: Annotated[str | None, typer.Option(metavar="TIME", help="End here.")] = None,
    codec: opts.Codec = opts.CodecName.AUTO,
    crf: opts.Crf = None,
    hardware: opts.Hardware = False,
    copy_untouched: Annotated[
        bool, typer.Option("--copy-untouched", help="Copy GOPs without masks; do not encode them.")
    ] = False,
) -> None:
    """Unmask a video file.

    The output is MP4, MOV, MKV or WebM; timestamps, sound, subtitles, chapters and colours stay.
    Where no face or no mask is found it is a copy of the input.
    """
    from realtime.media.frames import Span
    from realtime.media.report_file import keep_face_records
    from realtime.runtime.memory import return_freed_frames
    from realtime.runtime.report import check_report_path
    from realtime.video.file import VideoJob, VideoOptions

    check_report_path(report, source, target, overwrite=overwrite)
    options = VideoOptions(
        side_by_side=side_by_side,
        badge=badge,
        drop_alpha=drop_alpha,
        overwrite=overwrite,
        resume=resume,
        span=Span(opts.parse_time(start, "--start") or 0.0, opts.parse_time(end, "--end")),
        encoding=opts.encoding_of(codec, crf, hardware=hardware),
        copy_untouched=copy_untouched,
    )
    return_freed_frames()
    with (
        VideoJob(source, target, options) as job,
        keep_face_records(report) as records,
        open_unmasker(model, engine, max_faces, models_dir) as unmasker,
    ):
        try:
            with FrameProgress(source.name) as progress:
                done = job.run(unmasker, progress, on_record=records)
        except KeyboardInterrupt:
            if resume:
                print_status("what is done is kept; the same command continues it")
            raise
        finish(done, source, target, report, records, overwrite=overwrite, strict=strict)
