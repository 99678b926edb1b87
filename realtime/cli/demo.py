"""The command `unmask demo`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from realtime.cli import options as opts
from realtime.cli.unmasker import open_unmasker
from realtime.runtime.console import FrameProgress, print_result


def demo(
    out: Annotated[Path, typer.Option(help="Folder of the results.")] = Path("demo"),
    model: opts.Model = "fast",
    engine: opts.Engine = opts.EngineName.AUTO,
    max_faces: opts.MaxFaces = 1,
    models_dir: opts.ModelsDir = None,
    report: opts.ReportPath = None,
) -> None:
    """Unmask a synthetic clip, and compare it with the true face."""
    from realtime.demo.run import make_folder, run_demo
    from realtime.media.report_file import keep_face_records, write_report
    from realtime.runtime.report import check_report_path

    check_report_path(report)
    make_folder(out)
    with (
        keep_face_records(report) as records,
        open_unmasker(model, engine, max_faces, models_dir) as unmasker,
    ):
        with FrameProgress("demo") as progress:
            result = run_demo(out, unmasker, progress, models_dir, on_record=records)
        if report is not None:
            write_report(report, asdict(result.report), records)
        for line in result.lines():
            print_result(line)
