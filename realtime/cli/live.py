"""The command `unmask live`: its options, and what it opens and closes."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from realtime.cli import options as opts
from realtime.cli.unmasker import open_unmasker
from realtime.live.choices import SinkName
from realtime.runtime.console import print_status


def live(
    source: Annotated[
        str, typer.Option(help="Camera index, name or device; network address; or a file.")
    ] = "0",
    sink: Annotated[SinkName, typer.Option(help="Where the picture is shown.")] = SinkName.WINDOW,
    seconds: Annotated[
        float | None, typer.Option(min=0.1, help="Stop after this time.", show_default=False)
    ] = None,
    size: Annotated[str, typer.Option(help="Frame size to ask a camera for.")] = "640x480",
    fps: Annotated[float, typer.Option(min=1, help="Frame rate to ask a camera for.")] = 30.0,
    list_only: Annotated[bool, typer.Option("--list", help="List the cameras and exit.")] = False,
    side_by_side: opts.SideBySide = False,
    boxes: Annotated[
        bool, typer.Option("--boxes", help="Draw bounding boxes and the outline of what is filled.")
    ] = False,
    record: Annotated[bool, typer.Option("--record", help="Record from the start.")] = False,
    loop: Annotated[bool, typer.Option("--loop", help="Play a file again and again.")] = False,
    out: Annotated[Path, typer.Option(help="Folder for pictures and recordings.")] = Path(),
    model: opts.Model = "fast",
    engine: opts.Engine = opts.EngineName.AUTO,
    max_faces: Annotated[
        int | None,
        typer.Option(min=1, help="Unmask at most N faces, the largest first; else two a core."),
    ] = None,
    models_dir: opts.ModelsDir = None,
    report: opts.ReportPath = None,
) -> None:
    """Unmask a camera while it runs.

    Keys in the window: q or Esc quit, u unmasking on or off, s side by side, b boxes, p picture,
    r record, h hide the text. Ctrl-C quits as well.
    """
    if list_only:
        return _list_cameras()
    from inpaint_model.errors import UserError
    from realtime.capture import CaptureOptions, open_capture
    from realtime.live.session import LiveOptions, run_live
    from realtime.live.sinks import check_sink, open_sink
    from realtime.live.view import View
    from realtime.media.atomic_file import check_writable
    from realtime.media.report_file import keep_face_records, write_report
    from realtime.runtime.report import check_report_path
    from realtime.runtime.threads import half_the_cores

    check_report_path(report, *([Path(source)] if Path(source).is_file() else []))
    if not out.is_dir():
        raise UserError(f"{out}: is not a folder")
    if record:
        check_writable(out)
    capture_options = CaptureOptions(size=opts.parse_size(size), fps=fps, loop=loop)
    check_sink(sink)
    most = max_faces or 4 * half_the_cores()
    view = View(side_by_side=side_by_side, boxes=boxes)
    with (
        keep_face_records(report) as records,
        closing(open_capture(source, capture_options, notify=print_status)) as capture,
        open_unmasker(model, engine, most, models_dir, mode="live") as unmasker,
    ):
        for warning in capture.warnings:
            print_status(f"note: {warning}")
        with closing(open_sink(sink, capture.nominal_fps)) as opened_sink:
            options = LiveOptions(seconds, out, record, view, on_record=records)
            done = run_live(capture, opened_sink, unmasker, options, print_status)
        for line in done.lines():
            print_status(line)
        if report is not None:
            write_report(report, asdict(done), records)


def _list_cameras() -> None:
    from realtime.capture import list_cameras

    cameras = list_cameras()
    for camera in cameras:
        print(camera)
    if not cameras:
        print_status("no camera is connected")
