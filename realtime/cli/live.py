"""The command `unmask live`: its options, and what it opens and closes."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from realtime.cli import options as opts
from realtime.cli.unmasker import open_unmasker
from realtime.live.choices import SinkName
from realtime.runtime.console import print_result, print_status

if TYPE_CHECKING:
    from realtime.capture import CameraSwitch, CaptureOptions, Reconnecting
    from realtime.live.toasts import Toasts


def live(
    source: Annotated[
        str, typer.Option(help="Camera index, name or device; network address; or a file.")
    ] = "0",
    sink: Annotated[
        list[SinkName] | None,
        typer.Option(
            help="Where the picture is shown; may be given several times.", show_default="window"
        ),
    ] = None,
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
    mirror: Annotated[
        bool | None,
        typer.Option(
            "--mirror/--no-mirror",
            help="Mirror the window's picture.",
            show_default="for cameras",
        ),
    ] = None,
    badge: Annotated[
        bool, typer.Option("--badge/--no-badge", help="Label frames with synthetic faces.")
    ] = True,
    loop: Annotated[bool, typer.Option("--loop", help="Play a file again and again.")] = False,
    out: Annotated[
        Path, typer.Option(help="Folder for pictures and recordings; it is made if needed.")
    ] = Path(),
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

    Keys in the window: q or Esc quit, u unmasking on or off, + and - strength, m mirror, s side by
    side, b boxes, f full screen, c next camera, p picture, r record, h status bar, ? help. Ctrl-C quits
    as well.
    """
    if list_only:
        return _list_cameras()
    from inpaint_model.errors import OutputError
    from realtime.capture import CaptureOptions, Reconnecting, check_source, names_camera
    from realtime.live.session import LiveOptions, run_live
    from realtime.live.sinks import check_sinks, open_sinks
    from realtime.live.toasts import Toasts
    from realtime.live.view import View
    from realtime.media.atomic_file import make_folder
    from realtime.media.report_file import keep_face_records, write_report
    from realtime.runtime.report import check_report_path
    from realtime.runtime.threads import half_the_cores

    sinks = sink or [SinkName.WINDOW]
    check_report_path(report, *([Path(source)] if Path(source).is_file() else []))
    capture_options = CaptureOptions(size=opts.parse_size(size), fps=fps, loop=loop)
    if not source.isdecimal():  # without cameras and display, the display is what is said first
        check_source(source)
    check_sinks(sinks)
    make_folder(out)
    if SinkName.WINDOW not in sinks and (side_by_side or boxes or mirror):
        print_status("note: --side-by-side, --boxes and --mirror need --sink window")
    most = max_faces or 4 * half_the_cores()
    toasts = Toasts(print_status)
    mirrored = names_camera(source) if mirror is None else mirror
    view = View(badge=badge, mirror=mirrored, side_by_side=side_by_side, boxes=boxes)
    with (
        keep_face_records(report) as records,
        closing(_open_source(source, capture_options, toasts)) as capture,
        open_unmasker(model, engine, most, models_dir, mode="live") as unmasker,
    ):
        for warning in capture.warnings:
            print_status(f"note: {warning}")
        switch = None if isinstance(capture, Reconnecting) else capture.next_camera
        options = LiveOptions(seconds, out, record, view, switch, records)
        with closing(open_sinks(sinks, capture.nominal_fps)) as opened:
            done = run_live(capture, opened, unmasker, options, toasts)
        for line in done.lines():
            print_status(line)
        if report is not None:
            write_report(report, asdict(done), records)
        if done.recording_error:
            raise OutputError(done.recording_error)


def _open_source(
    source: str, options: CaptureOptions, toasts: Toasts
) -> Reconnecting | CameraSwitch:
    """Open a source; a camera can be changed for the next one."""
    from realtime.capture import CameraSwitch, names_camera, open_capture

    opened = open_capture(source, options, notify=toasts)
    if not names_camera(source):
        return opened
    return CameraSwitch(
        opened, lambda camera: open_capture(str(camera.index), options, toasts), toasts
    )


def _list_cameras() -> None:
    from realtime.capture import list_cameras

    cameras = list_cameras()
    for camera in cameras:
        print_result(camera)
    if not cameras:
        print_status("no camera is connected")
