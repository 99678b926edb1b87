"""The command `unmask image`."""

from __future__ import annotations

from realtime.cli import options as opts
from realtime.cli.errors import names_source
from realtime.cli.unmasker import finish, open_unmasker


@names_source
def image(
    source: opts.Input,
    target: opts.Output,
    model: opts.Model = "fast",
    engine: opts.Engine = opts.EngineName.AUTO,
    max_faces: opts.MaxFaces = opts.MAX_FACES,
    models_dir: opts.ModelsDir = None,
    report: opts.ReportPath = None,
    overwrite: opts.Overwrite = False,
    strict: opts.Strict = False,
    drop_alpha: opts.DropAlpha = False,
) -> None:
    """Unmask a picture.

    The output is PNG, JPEG or WebP; bit depth, channels, size and colour profile stay.
    Where no face or no mask is found it is a copy of the input.
    """
    from realtime.image_file import ImageJob
    from realtime.media.report_file import keep_face_records
    from realtime.runtime.report import check_report_path

    check_report_path(report, source, target, overwrite=overwrite)
    job = ImageJob(source, target, overwrite=overwrite, drop_alpha=drop_alpha)
    with (
        keep_face_records(report) as records,
        open_unmasker(model, engine, max_faces, models_dir, mode="image") as unmasker,
    ):
        done = job.run(unmasker, records)
        finish(done, source, target, report, records, overwrite=overwrite, strict=strict)
