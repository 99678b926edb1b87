"""`unmask live`: the command's options, and what it opens and closes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from realtime.cli.engine import Engine, EngineName, Model
from realtime.live.choices import SinkName
from realtime.runtime.console import say


def live(
    source: Annotated[
        str, typer.Option(help="Camera by index, name or device; address; or a file.")
    ] = "0",
    sink: Annotated[SinkName, typer.Option(help="Where the picture goes.")] = SinkName.WINDOW,
    seconds: Annotated[
        float | None, typer.Option(min=0.1, help="Stop after so long.", show_default=False)
    ] = None,
    size: Annotated[str, typer.Option(help="Ask a camera for so many pixels.")] = "640x480",
    fps: Annotated[float, typer.Option(min=1, help="Ask a camera for this rate.")] = 30.0,
    list_only: Annotated[bool, typer.Option("--list", help="Name the cameras, and end.")] = False,
    side_by_side: Annotated[
        bool, typer.Option("--side-by-side", help="Camera and result beside each other.")
    ] = False,
    boxes: Annotated[bool, typer.Option("--boxes", help="Draw faces and what is filled.")] = False,
    record: Annotated[bool, typer.Option("--record", help="Record from the start.")] = False,
    loop: Annotated[bool, typer.Option("--loop", help="Play a file again and again.")] = False,
    out: Annotated[Path, typer.Option(help="Folder for pictures and recordings.")] = Path(),
    model: Model = "fast",
    engine: Engine = EngineName.AUTO,
    max_faces: Annotated[
        int, typer.Option(min=1, help="At most so many faces, the largest first.")
    ] = 4,
    models_dir: Annotated[
        Path | None, typer.Option(help="Folder with MediaPipe's face_landmarker.task.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", help="Write figures here, as JSON.")
    ] = None,
) -> None:
    """Unmask a camera while it runs.

    Keys in the window: q or Esc quit, u unmasking on or off, s side by side, b boxes, p picture,
    r record, h hide the text. Ctrl-C quits as well.
    """
    if list_only:
        return _list()
    from inpaint_model.errors import UserError
    from realtime.capture import CaptureOptions, open_capture
    from realtime.live.session import LiveOptions, run_live
    from realtime.live.sinks import check_sink, open_sink
    from realtime.live.view import View
    from realtime.runtime.report import check_report_path
    from realtime.unmasker import Unmasker

    check_report_path(report)
    if not out.is_dir():
        raise UserError(f"{out}: is no folder")
    wanted = CaptureOptions(size=_size(size), fps=fps, loop=loop)
    check_sink(sink)
    capture = open_capture(source, wanted, tell=say)
    try:
        with Unmasker(
            model, engine.value, max_faces, mode="live", models_dir=models_dir
        ) as unmasker:
            say(f"model {unmasker.inpainter.model}, engine {unmasker.inpainter.reason}")
            for note in capture.notes:
                say(f"note: {note}")
            shown = open_sink(sink, capture.nominal_fps)
            try:
                view = View(side_by_side=side_by_side, boxes=boxes)
                options = LiveOptions(seconds, out, record, view)
                done = run_live(capture, shown, unmasker, options, say)
            finally:
                shown.close()
    finally:
        capture.close()
    for line in done.lines():
        say(line)
    if report is not None:
        done.write(report)


def _list() -> None:
    from realtime.capture import list_cameras

    cameras = list_cameras()
    for camera in cameras:
        print(camera)
    if not cameras:
        say("no camera is connected")


def _size(text: str) -> tuple[int, int]:
    from inpaint_model.errors import UserError

    found = re.fullmatch(r"(\d{2,5})x(\d{2,5})", text)
    if found is None:
        raise UserError(f"--size {text}: write it as 1280x720")
    return int(found[1]), int(found[2])
