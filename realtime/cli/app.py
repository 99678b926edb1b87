"""The command line `unmask`. Heavy modules are imported inside the commands, so that help is instant."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from realtime.cli import engine as engine_cli
from realtime.cli import live as live_cli
from realtime.cli.batch import batch
from realtime.cli.engine import Engine, EngineName, Model
from realtime.cli.options import (
    Badge,
    Codec,
    CodecName,
    Crf,
    Hardware,
    SideBySide,
    parse_time,
)
from realtime.runtime.console import (
    FrameProgress,
    quiet_libraries,
    say,
    say_what_engines_do,
    stop_on_sigterm,
)

if TYPE_CHECKING:
    from realtime.runtime.report import Report
    from realtime.unmasker import Mode, Unmasker

DEBUG_VARIABLE = "UNMASK_DEBUG"
_INTERRUPTED = 130
app = typer.Typer(
    name="unmask",
    help="Shows the face behind a surgical mask. What it shows there is invented by a model.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    add_completion=False,
)


app.add_typer(engine_cli.app, name="engine")
app.command()(live_cli.live)
app.command()(batch)
MaxFaces = Annotated[int, typer.Option(min=1, help="At most so many faces, the largest first.")]
ModelsDir = Annotated[
    Path | None, typer.Option(help="Folder with MediaPipe's face_landmarker.task.")
]
ReportPath = Annotated[Path | None, typer.Option("--report", help="Write figures here, as JSON.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an output that exists.")]
Input = Annotated[Path, typer.Argument(metavar="INPUT", show_default=False)]
Output = Annotated[Path, typer.Argument(metavar="OUTPUT", show_default=False)]


@app.command()
def image(
    source: Input,
    target: Output,
    model: Model = "fast",
    engine: Engine = EngineName.AUTO,
    max_faces: MaxFaces = 8,
    models_dir: ModelsDir = None,
    report: ReportPath = None,
    overwrite: Overwrite = False,
) -> None:
    """Unmask a picture.

    Written are PNG, JPEG and WebP; depth, channels, size and profile stay.
    """
    from realtime.image_file import ImageJob
    from realtime.runtime.report import check_report_path

    check_report_path(report)
    job = ImageJob(source, target, overwrite=overwrite)
    with _open(model, engine, max_faces, models_dir, mode="image") as unmasker:
        done = job.run(unmasker)
    _finish(done, target, report)


@app.command()
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
        bool, typer.Option("--resume", help="Go on where an interrupted run stopped.")
    ] = False,
    side_by_side: SideBySide = False,
    badge: Badge = False,
    start: Annotated[
        str | None, typer.Option(metavar="TIME", help="From here: seconds, or [h:]mm:ss.")
    ] = None,
    end: Annotated[str | None, typer.Option(metavar="TIME", help="To here.")] = None,
    codec: Codec = CodecName.AUTO,
    crf: Crf = None,
    hardware: Hardware = False,
    copy_untouched: Annotated[
        bool,
        typer.Option("--copy-untouched", help="Groups of frames without masks stay as coded."),
    ] = False,
) -> None:
    """Unmask a video file.

    Written are MP4, MOV, MKV and WebM; timestamps, sound, subtitles, chapters and colours stay.
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
        _open(model, engine, max_faces, models_dir) as unmasker,
        FrameProgress(source.name) as progress,
    ):
        try:
            done = job.run(unmasker, progress)
        except KeyboardInterrupt:
            if resume:
                say("what is done is kept; the same command goes on")
            raise
    _finish(done, target, report)


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for what it makes.")] = Path("demo"),
    model: Model = "fast",
    engine: Engine = EngineName.AUTO,
    max_faces: MaxFaces = 1,
    models_dir: ModelsDir = None,
    report: ReportPath = None,
) -> None:
    """Make a clip with a known answer, and compare."""
    from realtime.demo.run import run_demo
    from realtime.runtime.report import check_report_path

    check_report_path(report)
    with _open(model, engine, max_faces, models_dir) as unmasker, FrameProgress("demo") as progress:
        result = run_demo(out, unmasker, progress, models_dir)
    for line in result.lines():
        print(line)
    if report is not None:
        result.report.write(report)


@app.command()
def doctor(model: Model = "fast", models_dir: ModelsDir = None) -> None:
    """Say what works here, and how to mend what does not."""
    from realtime.doctor.report import examine, table

    checks = examine(model, models_dir)
    print(table(checks))
    if any(check.fatal for check in checks):
        raise typer.Exit(1)


def _open(
    model: str, engine: EngineName, max_faces: int, models_dir: Path | None, *, mode: Mode = "video"
) -> Unmasker:
    from realtime.unmasker import Unmasker

    unmasker = Unmasker(model, engine.value, max_faces, mode=mode, models_dir=models_dir)
    say(f"model {unmasker.inpainter.model}, engine {unmasker.inpainter.reason}")
    return unmasker


def _finish(done: Report, target: Path, report: Path | None) -> None:
    for warning in done.warnings:
        say(f"note: {warning}")
    frames = "1 picture" if done.frames == 1 else f"{done.frames} frames, {done.fps:.1f} frames/s"
    say(f"{target}: {frames}, {done.faces} faces found, {done.masked_faces} unmasked")
    if report is not None:
        done.write(report)


def main() -> None:
    """Entry point: run the command line and exit."""
    sys.exit(run())


def run(arguments: list[str] | None = None) -> int:
    """Run the command line, by default with the process's arguments, and return the exit code.

    0: done. 2: wrong use or bad input. 1: failed. One line on stderr says what was wrong;
    `UNMASK_DEBUG=1` shows the traceback as well.
    """
    debug = bool(os.environ.get(DEBUG_VARIABLE))
    with quiet_libraries(enabled=not debug):
        try:
            with stop_on_sigterm(), say_what_engines_do():
                status = app(arguments, prog_name="unmask", standalone_mode=False)
            if status == _INTERRUPTED:  # Typer's answer to Ctrl-C
                raise KeyboardInterrupt
            return status if isinstance(status, int) else 0
        except (KeyboardInterrupt, typer.Abort):
            return _fail("stopped; no output was written", 1, debug)
        except Exception as error:
            return _explain(error, debug)


def _explain(error: Exception, debug: bool) -> int:
    from inpaint_model.errors import UserError  # not above: it brings NumPy, which help can spare

    if isinstance(error, UserError):
        return _fail(str(error), 2, debug)
    if hasattr(error, "format_message"):  # wrong use, as Typer found it
        return _wrong_use(error, debug)
    text = f"{type(error).__name__}: {error} ({DEBUG_VARIABLE}=1 shows where)"
    return _fail(f"failed: {text}", 1, debug)


def _wrong_use(error: Exception, debug: bool) -> int:
    message = error.format_message()  # pyright: ignore[reportAttributeAccessIssue]
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":  # no command given: the message is the help
        print(message)
        return 2
    command = context.command_path if context is not None else "unmask"
    return _fail(f"{message} (see `{command} --help`)", 2, debug)


def _fail(message: str, status: int, debug: bool) -> int:
    if debug:
        import traceback

        traceback.print_exc()
    say("error: " + " ".join(message.split()))
    return status
