"""The trainer's command line: prepare, fit, export."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from inpaint_model.errors import UserError

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)


@app.callback()
def _trainer() -> None:
    """Prepare data, train, evaluate and export the networks."""


@app.command()
def prepare(
    faces: Annotated[list[Path], typer.Option(help="Folder of photographs; repeat for several.")],
    out: Annotated[Path, typer.Option(help="Prepared file to write (.npz).")],
    manifest: Annotated[
        Path | None, typer.Option(help="CSV path,source,split,identity, relative to itself.")
    ] = None,
    shard_mib: Annotated[float, typer.Option(help="Split into files of at most this size.")] = 0,
    min_eye_px: Annotated[float, typer.Option(help="Drop faces whose eyes are closer.")] = 24,
    workers: Annotated[int, typer.Option(help="Processes.")] = 2,
    limit: Annotated[int, typer.Option(help="At most this many of each folder; 0 for all.")] = 0,
) -> None:
    """Find, align and crop the faces of photographs into one file."""
    from trainer.prepare import prepare as run

    print(
        run(
            faces,
            out,
            manifest=manifest,
            shard_mib=shard_mib,
            min_eye_px=min_eye_px,
            workers=workers,
            limit=limit,
        )
    )


@app.command()
def fit(
    preset: Annotated[str, typer.Option(help="fast or segmenter.")],
    data: Annotated[list[Path], typer.Option(help="Prepared file; repeat for several shards.")],
    run: Annotated[Path, typer.Option(help="Run folder: configuration, metrics, sheets.")],
    resume: Annotated[bool, typer.Option(help="Go on from the run's checkpoint.")] = False,
    scale: Annotated[float, typer.Option(help="Multiply the preset's steps.")] = 1.0,
    seed: Annotated[int | None, typer.Option(help="Another seed than the preset's.")] = None,
    threads: Annotated[int, typer.Option(help="CPU threads; 0 leaves torch's choice.")] = 0,
    recogniser: Annotated[
        Path | None, typer.Option(help="Folder of the recogniser's weights (perceptual loss).")
    ] = None,
    templates: Annotated[
        Path | None, typer.Option(help="Folder of mask drawings to wear in training too.")
    ] = None,
    val_templates: Annotated[
        Path | None, typer.Option(help="Folder of mask drawings to validate on.")
    ] = None,
) -> None:
    """Train a network."""
    from trainer.start import start

    start(
        preset,
        data,
        run,
        resume=resume,
        scale=scale,
        seed=seed,
        threads=threads,
        recogniser=recogniser,
        templates=templates,
        val_templates=val_templates,
    )


@app.command()
def export(
    run: Annotated[Path, typer.Option(help="Run folder of a fit.")],
    data: Annotated[list[Path], typer.Option(help="Prepared file: real crops to check parity on.")],
    out: Annotated[Path, typer.Option(help="Folder to write the artefact to.")] = Path(
        "inpaint_model/weights"
    ),
) -> None:
    """Write a run's artefact (ONNX generator or TFLite segmenter) and check its parity."""
    from trainer.start import export_run

    print(export_run(run, data, out))


def main() -> None:
    """Run a command; a UserError is one line and exit code 2."""
    try:
        app()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
