"""The command `unmask video`."""

from __future__ import annotations

from typing import Annotated

import typer

from realtime.cli.options import (
    Badge,
    Codec,
    CodecName,
    Crf,
    Engine,
    EngineName,
    Hardware,
    Input,
    MaxFaces,
    Model,
    ModelsDir,
    Output,
    Overwrite,
    ReportPath,
    SideBySide,
    parse_time,
)
from realtime.cli.unmasker import open_unmasker, print_and_write
from realtime.runtime.console import FrameProgress, print_status


def video(
    source: Input,
    target: Output,
    model: Model = "fast",
    engine: Engine = EngineName.AUTO,
    max_faces: MaxFaces = 4,
    models_dir: ModelsDir = None,
    report: ReportPath = None,
    overwrite: Overwrite = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue an interrupted run; keep what is done.")
    ] = False,
    side_by_side: SideBySide = False,
    badge: Badge = False,
    start: Annotated[
        str | None, typer.Option(metavar="TIME", help="Start here: seconds, or [h:]mm:ss.")
    ] = None,
    end: Annotated[str | None, typer.Option(metavar="TIME", help="End here.")] = None,
    codec: Codec = CodecName.AUTO,
    crf: Crf = None,
    hardware: Hardware = False,
    copy_untouched: Annotated[
        bool, typer.Option("--copy-untouched", help="Copy GOPs without masks; do not encode them.")
    ] = False,
) -> None:
    """Unmask a video file.

    The output is MP4, MOV, MKV or WebM; timestamps, sound, subtitles, chapters and colours stay.
    """
    from realtime.media.codecs import Encoding
    from realtime.media.frames import Span
    from realtime.runtime.memory import return_freed_frames
    from realtime.runtime.report import check_report_path
    from realtime.video.file import VideoJob, VideoOptions

    check_report_path(report)
    options = VideoOptions(
        side_by_side=side_by_side,
        badge=badge,
        overwrite=overwrite,
        resume=resume,
        span=Span(parse_time(start, "--start") or 0.0, parse_time(end, "--end")),
        encoding=Encoding(codec.value, crf, hardware),
        copy_untouched=copy_untouched,
    )
    return_freed_frames()
    with (
        VideoJob(source, target, options) as job,
        open_unmasker(model, engine, max_faces, models_dir) as unmasker,
        FrameProgress(source.name) as progress,
    ):
        try:
            done = job.run(unmasker, progress)
        except KeyboardInterrupt:
            if resume:
                print_status("what is done is kept; the same command continues it")
            raise
    print_and_write(done, target, report)
