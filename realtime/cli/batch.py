"""The command `unmask batch`: many files, one report, and an exit code that says whether any failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from realtime.cli import options as opts
from realtime.cli.errors import FAILED
from realtime.runtime.console import FrameProgress, print_status

if TYPE_CHECKING:
    from realtime.batch.jobs import Outcome

_MAX_NAMED = 8  # files that are left out, in the line that names them


def batch(
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="INPUT...", help="Files, folders, patterns like 'a/*.mp4'."),
    ],
    out: Annotated[Path, typer.Option(help="Folder of the results; it mirrors folder trees.")],
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; default: 1, on Ray one per CPU.")
    ] = None,
    ray: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Run on this Ray cluster, or 'local'.")
    ] = None,
    model: opts.Model = "fast",
    engine: opts.Engine = opts.EngineName.AUTO,
    max_faces: opts.MaxFaces = opts.MAX_FACES,
    models_dir: opts.ModelsDir = None,
    report: opts.ReportPath = None,
    overwrite: opts.Overwrite = False,
    strict: opts.Strict = False,
    side_by_side: opts.SideBySide = False,
    badge: opts.Badge = False,
    drop_alpha: opts.DropAlpha = False,
    codec: opts.Codec = opts.CodecName.AUTO,
    crf: opts.Crf = None,
    hardware: opts.Hardware = False,
    no_follow: Annotated[
        bool, typer.Option("--no-follow", help="Leave out links to files in the folders.")
    ] = False,
) -> None:
    """Unmask many pictures and videos.

    Files that an earlier batch has done and that have not changed are skipped; its own results are
    replaced without --overwrite. Files without a face or a mask are copied. The exit code is 1 if any
    file failed.
    """
    from inpaint_model.artefacts import find_generator
    from inpaint_model.errors import OutputError
    from inpaint_model.third_party import find_face_landmarker
    from realtime.batch.jobs import Record, find_jobs
    from realtime.batch.worker import WorkerOptions
    from realtime.media.atomic_file import make_folder
    from realtime.runtime.report import check_report_path
    from realtime.video.file import VideoOptions

    left_out: list[Path] = []
    jobs = find_jobs(inputs, out, left_out, follow=not no_follow)
    used = [Path(path) for job in jobs for path in (job.source, job.target)]
    check_report_path(report, *used, overwrite=overwrite)
    encoding = opts.encoding_of(codec, crf, hardware=hardware)
    find_generator(model)
    find_face_landmarker(models_dir)
    make_folder(out)
    record = Record(out)
    jobs = [record.known(job) for job in jobs]
    options = WorkerOptions(
        model=model,
        engine=engine.value,
        max_faces=max_faces,
        models_dir=str(models_dir) if models_dir else None,
        video=VideoOptions(
            side_by_side=side_by_side,
            badge=badge,
            drop_alpha=drop_alpha,
            encoding=encoding,
        ),
        overwrite=overwrite,
    )
    if ray is not None:
        from realtime.batch.ray_cluster import run_on_ray

        running = run_on_ray(jobs, options, ray, workers)
    else:
        from realtime.batch.local import run_local

        running = run_local(jobs, options, workers or 1)
    outcomes: list[Outcome] = []
    try:
        with FrameProgress("batch", "files") as progress:
            for outcome in running:
                outcomes.append(outcome)
                record.add(outcome)
                progress(len(outcomes), len(jobs))
                if outcome.status == "failed":
                    print_status(f"failed: {outcome.message or outcome.source}")
    except KeyboardInterrupt:
        line = f"{out}: stopped; what is done is kept, and the same command continues it"
        raise OutputError(line) from None
    if record.missing:
        print_status(
            f"note: {record.error}: {record.missing} results are not noted down, and the next batch "
            "replaces them only with --overwrite"
        )
    _finish(outcomes, out, report, left_out, overwrite=overwrite)
    if strict and any(map(record.has_no_face, outcomes)):
        print_status("error: no face found in some files, and --strict was given")
        raise typer.Exit(FAILED)


def _finish(
    outcomes: list[Outcome],
    out: Path,
    report: Path | None,
    left_out: Sequence[Path] = (),
    *,
    overwrite: bool,
) -> None:
    """Print the totals and write the report; exit with code 1 if any file failed."""
    from realtime.media.report_file import write_report

    counts = Counter(outcome.status for outcome in outcomes)
    order = ("done", "skipped", "no face", "failed")
    print_status(f"{out}: " + ", ".join(f"{counts[name]} {name}" for name in order if counts[name]))
    if left_out:
        names = ", ".join(path.name for path in left_out[:_MAX_NAMED])
        more = ", ..." if len(left_out) > _MAX_NAMED else ""
        print_status(f"left out, no picture or video: {len(left_out)} files: {names}{more}")
    if report is not None:
        outcomes.sort(key=lambda outcome: outcome.source)
        figures = {
            "files": len(outcomes),
            **{name.replace(" ", "_"): counts[name] for name in order},
            "frames": sum(outcome.frames for outcome in outcomes),
            "masked_faces": sum(outcome.masked_faces for outcome in outcomes),
            "left_out": [str(path) for path in left_out],
            "outcomes": [asdict(outcome) for outcome in outcomes],
        }
        write_report(report, figures, overwrite=overwrite)
    if counts["failed"]:
        raise typer.Exit(FAILED)
