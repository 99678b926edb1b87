"""The command `unmask image`."""

from __future__ import annotations

from realtime.cli.options import (
    Engine,
    EngineName,
    Input,
    MaxFaces,
    Model,
    ModelsDir,
    Output,
    Overwrite,
    ReportPath,
)
from realtime.cli.unmasker import open_unmasker, print_and_write


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

    The output is PNG, JPEG or WebP; bit depth, channels, size and colour profile stay.
    """
    from realtime.image_file import ImageJob
    from realtime.runtime.report import check_report_path

    check_report_path(report)
    job = ImageJob(source, target, overwrite=overwrite)
    with open_unmasker(model, engine, max_faces, models_dir, mode="image") as unmasker:
        done = job.run(unmasker)
    print_and_write(done, target, report)
