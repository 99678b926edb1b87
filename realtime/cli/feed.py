"""The command `unmask feed`: records and crops of faces for a face-recognition system."""

from __future__ import annotations

import time
from contextlib import closing, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from realtime.cli import options as opts
from realtime.cli.errors import FAILED, names_source
from realtime.cli.unmasker import open_unmasker
from realtime.runtime.console import print_status

if TYPE_CHECKING:
    from realtime.feed.crops import CropFolder
    from realtime.feed.delivery import Delivery
    from realtime.feed.record import FaceRecord
    from realtime.feed.run import Feed
    from realtime.feed.sources import FeedSource, LiveOptions

_PATIENCE_S = 5.0  # that a live feed waits at its end for a receiver that is away


@names_source
def feed(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="A video, a picture, a folder of pictures, a camera or a network address.",
            show_default=False,
        ),
    ],
    out: Annotated[
        str,
        typer.Option(
            metavar="-|FILE|ADDRESS",
            help="Where the lines go: - is standard output; unix://PATH, tcp://HOST:PORT, "
            "http(s)://..., mqtt(s)://HOST/TOPIC.",
        ),
    ] = "-",
    crops: Annotated[
        Path | None, typer.Option(help="Folder for the crops, as PNG files; it is made if needed.")
    ] = None,
    inline: Annotated[
        bool, typer.Option("--inline", help="Put the crops into the lines, as PNG in base64.")
    ] = False,
    every: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="At most one line a track in this time.")
    ] = 0.0,
    best_shot: Annotated[
        bool, typer.Option("--best-shot", help="One line a track, when it ends: its best crop.")
    ] = False,
    only_bare: Annotated[
        bool, typer.Option("--only-bare", help="Leave out faces whose lower half is invented.")
    ] = False,
    min_size: Annotated[
        float, typer.Option(min=0, metavar="PIXELS", help="Leave out narrower faces.")
    ] = 0.0,
    embedder: Annotated[
        Path | None,
        typer.Option(help="ONNX file of a recogniser for 112x112 crops: adds embeddings."),
    ] = None,
    embed_references: Annotated[
        bool,
        typer.Option(
            "--embed-references", help="Embed fills that a reference photograph guided as well."
        ),
    ] = False,
    seconds: Annotated[
        float | None, typer.Option(min=0.1, help="Stop a live source after this time.")
    ] = None,
    size: Annotated[str, typer.Option(help="Frame size to ask a camera for.")] = "1280x720",
    fps: Annotated[float, typer.Option(min=1, help="Frame rate to ask a camera for.")] = 30.0,
    model: opts.Model = "fast",
    engine: opts.Engine = opts.EngineName.AUTO,
    max_faces: opts.MaxFaces = opts.MAX_FACES,
    models_dir: opts.ModelsDir = None,
    report: opts.ReportPath = None,
    overwrite: opts.Overwrite = False,
    strict: opts.Strict = False,
) -> None:
    """Feed a face-recognition system: one JSON object a face a frame, with aligned crops.

    A file is read to its end, and no line of it is lost: while the receiver is away, lines wait on the
    disk, and the same command continues after a crash. Of a live source frames that come too fast are left
    out and counted. What a filled crop shows below the mask's edge is invented: it is no evidence of who
    someone is.
    """
    from inpaint_model.errors import UserError
    from realtime.capture import CaptureOptions
    from realtime.feed.crops import CropFolder
    from realtime.feed.delivery import check_out, open_delivery
    from realtime.feed.embedder import Embedder
    from realtime.feed.run import Feed
    from realtime.feed.selection import FeedOptions
    from realtime.feed.sources import LiveOptions
    from realtime.runtime.report import check_report_path
    from realtime.runtime.threads import opencv_in_one_thread

    check_out(out, overwrite=overwrite)
    if Path(out).is_file() and Path(source).is_file() and Path(out).samefile(source):
        raise UserError(f"{out}: the output is the input; name another file")
    check_report_path(report, Path(source), Path(out), overwrite=overwrite)
    folder = CropFolder(crops) if crops is not None else None
    options = FeedOptions(every, best_shot, only_bare, min_size, inline, embed_references)
    live = LiveOptions(CaptureOptions(opts.parse_size(size), fps), seconds, print_status)
    with (
        closing(Embedder(embedder)) if embedder is not None else nullcontext() as recogniser,
        closing(_open(source, live, out, overwrite=overwrite)) as opened,
        open_unmasker(model, engine, max_faces, models_dir, mode=opened.mode) as unmasker,
    ):
        is_live = opened.mode == "live"
        records = Feed(opened, unmasker, options, recogniser, models_dir)
        delivery = open_delivery(
            out,
            source_key=f"{opened.name if is_live else records.key} {crops or ''}",
            waits=not is_live,
            overwrite=overwrite,
            source=Path(source),
            notify=print_status,
        )
        began_s = time.perf_counter()
        with closing(delivery), opencv_in_one_thread():
            lines, lost = _deliver(records, delivery, folder, is_live=is_live)
        figures = {
            **_figures(records, opened, time.perf_counter() - began_s),
            "source": opened.name,
            "out": delivery.name,
            "lines": lines,
            "dropped_lines": delivery.dropped,
            "undelivered_lines": lost,
        }
    _finish(figures, report, failed=bool(opened.failed or lost), overwrite=overwrite, strict=strict)


def _open(source: str, live: LiveOptions, out: str, *, overwrite: bool) -> FeedSource:
    """Open the source; a file's feed does not replace a file that is there."""
    from realtime.feed.delivery import check_out
    from realtime.feed.sources import open_source

    opened = open_source(source, live)
    try:
        check_out(out, waits=opened.mode != "live", overwrite=overwrite)
    except BaseException:
        opened.close()
        raise
    return opened


def _deliver(
    records: Feed, delivery: Delivery, folder: CropFolder | None, *, is_live: bool
) -> tuple[int, int]:
    """Give every record to the receiver; return how many there were, and how many it has not got.

    Raises:
        Exit: the receiver refuses the lines, its reader has gone, or a file was not read to its end.
    """
    from realtime.feed.delivery import DeliveryError
    from realtime.feed.line import Line

    lines = 0
    try:
        try:
            for record in records:
                whole: FaceRecord = folder(record) if folder is not None else record
                delivery.put(Line(whole.key, whole.event, whole.as_json()))
                lines += 1
        except KeyboardInterrupt:
            if not is_live:
                raise
            print_status("stopped")
        return lines, delivery.finish(_PATIENCE_S if is_live else None)
    except DeliveryError as error:
        print_status(f"error: {error}")
    except KeyboardInterrupt:
        print_status("error: stopped before the end; the same command goes on, or begins anew")
    except BrokenPipeError:  # such as `unmask feed ... | head`
        raise typer.Exit from None
    raise typer.Exit(FAILED)


def _figures(records: Feed, source: FeedSource, seconds: float) -> dict[str, object]:
    from realtime.runtime.report import Report

    done = Report.of(
        records.counts,
        records.times,
        seconds,
        records.unmasker,
        source.warnings,
        records.dropped_frames,
    )
    return asdict(done)


def _finish(
    figures: dict[str, object], report: Path | None, *, failed: bool, overwrite: bool, strict: bool
) -> None:
    """Print the counts and write the report; exit with code 1 if anything was lost or not read."""
    from realtime.media.report_file import write_report

    warnings = figures["warnings"]
    assert isinstance(warnings, list)
    for warning in warnings:
        print_status(f"note: {warning}")
    print_status(
        f"{figures['source']}: {figures['frames']} frames, {figures['fps']} frames/s, "
        f"{figures['faces']} faces found, {figures['masked_faces']} unmasked; "
        f"{figures['lines']} lines for {figures['out']}"
    )
    for what in ("dropped_frames", "dropped_lines", "undelivered_lines"):
        if figures[what]:
            print_status(f"{what.replace('_', ' ')}: {figures[what]}")
    if report is not None:
        source = Path(str(figures["source"]))
        write_report(report, figures, overwrite=overwrite, source=source)
    if failed:
        raise typer.Exit(FAILED)
    if strict and not figures["faces"]:
        print_status("error: no face found, and --strict was given")
        raise typer.Exit(FAILED)
