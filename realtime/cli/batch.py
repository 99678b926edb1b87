"""The command `unmask batch`: many files, one report, and an exit code that says whether any failed."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from realtime.cli.engine import Engine, EngineName, Model
from realtime.cli.options import Badge, Codec, CodecName, Crf, Hardware, SideBySide
from realtime.runtime.console import FrameProgress, say

if TYPE_CHECKING:
    from realtime.batch.jobs import Outcome

_FAILED = 1


def batch(
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="INPUT...", help="Files, folders, patterns like 'a/*.mp4'."),
    ],
    out: Annotated[Path, typer.Option(help="Folder of the results; trees are mirrored in it.")],
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; default 1, on Ray all its CPUs.")
    ] = None,
    ray: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Run on this Ray cluster, or 'local'.")
    ] = None,
    model: Model = "fast",
    engine: Engine = EngineName.AUTO,
    max_faces: Annotated[int, typer.Option(min=1, help="At most so many faces a picture.")] = 4,
    models_dir: Annotated[
        Path | None, typer.Option(help="Folder with MediaPipe's face_landmarker.task.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", help="Write figures here, as JSON.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that no batch has written.")
    ] = False,
    side_by_side: SideBySide = False,
    badge: Badge = False,
    codec: Codec = CodecName.AUTO,
    crf: Crf = None,
    hardware: Hardware = False,
) -> None:
    """Unmask many pictures and videos.

    What was done before and has not changed is skipped. Exit code 1 where any file failed.
    """
    from inpaint_model.errors import UserError
    from realtime.batch.jobs import Record, find_jobs
    from realtime.batch.worker import WorkerOptions
    from realtime.media.codecs import Encoding
    from realtime.runtime.report import check_report_path
    from realtime.video.file import VideoOptions

    check_report_path(report)
    jobs = find_jobs(inputs, out)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{out}: cannot be made ({error.strerror})") from None
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
            encoding=Encoding(codec.value, crf, hardware),
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
    with FrameProgress("files") as progress:
        for outcome in running:
            outcomes.append(outcome)
            record.add(outcome)
            progress(len(outcomes), len(jobs))
            if outcome.status == "failed":
                say(f"failed: {outcome.message or outcome.source}")
    _close(outcomes, out, report)


def _close(outcomes: list[Outcome], out: Path, report: Path | None) -> None:
    counts = Counter(outcome.status for outcome in outcomes)
    order = ("done", "skipped", "no face", "failed")
    say(f"{out}: " + ", ".join(f"{counts[name]} {name}" for name in order if counts[name]))
    if report is not None:
        from inpaint_model.errors import UserError

        outcomes.sort(key=lambda outcome: outcome.source)
        figures = {
            "files": len(outcomes),
            **{name.replace(" ", "_"): counts[name] for name in order},
            "frames": sum(outcome.frames for outcome in outcomes),
            "masked_faces": sum(outcome.masked_faces for outcome in outcomes),
            "outcomes": [asdict(outcome) for outcome in outcomes],
        }
        try:
            report.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            raise UserError(f"{report}: cannot be written ({error.strerror})") from None
    if counts["failed"]:
        raise typer.Exit(_FAILED)
