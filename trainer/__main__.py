"""The trainer's command line: prepare, fit, evaluate, export."""

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
    margin_px: Annotated[
        int, typer.Option("--margin", help="Keep so much round the crops: for the segmenter.")
    ] = 0,
    workers: Annotated[int, typer.Option(help="Processes.")] = 2,
    limit: Annotated[int, typer.Option(help="At most this many of each folder; 0 for all.")] = 0,
) -> None:
    """Find, align and crop the faces of photographs into one file."""
    from trainer.data.prepare import prepare as run

    print(
        run(
            faces,
            out,
            manifest=manifest,
            shard_mib=shard_mib,
            min_eye_px=min_eye_px,
            margin_px=margin_px,
            workers=workers,
            limit=limit,
        )
    )


@app.command()
def fit(
    preset: Annotated[str, typer.Option(help="paper, glcic, paper-mask, fast or segmenter.")],
    data: Annotated[list[Path], typer.Option(help="Prepared file; repeat for several shards.")],
    run: Annotated[Path, typer.Option(help="Run folder: configuration, metrics, sheets.")],
    resume: Annotated[bool, typer.Option(help="Go on from the run's checkpoint.")] = False,
    begin: Annotated[
        Path | None, typer.Option(help="Run, .onnx or .tflite to start from; widened if narrower.")
    ] = None,
    scale: Annotated[float, typer.Option(help="Multiply the preset's steps.")] = 1.0,
    stage: Annotated[
        list[int] | None, typer.Option(help="Only this stage of the preset, from 1; repeat.")
    ] = None,
    batch: Annotated[int | None, typer.Option(min=2, help="Crops a step; as many in all.")] = None,
    width: Annotated[int | None, typer.Option(help="The paper's networks: first channels.")] = None,
    faces: Annotated[int | None, typer.Option(help="Train on this many faces; 0: all.")] = None,
    teacher: Annotated[str | None, typer.Option(help="Model to distil from: fast.")] = None,
    seed: Annotated[int | None, typer.Option(help="Another seed than the preset's.")] = None,
    accelerator: Annotated[str, typer.Option(help="auto, cpu, cuda, ...")] = "auto",
    devices: Annotated[int, typer.Option(min=1, help="How many; they share each batch.")] = 1,
    precision: Annotated[
        str,
        typer.Option(help="auto, bf16-mixed, 16-mixed, 32-true, ...; auto: bf16 if it is fast."),
    ] = "auto",
    threads: Annotated[int, typer.Option(help="CPU threads; 0 leaves torch's choice.")] = 0,
    compiled: Annotated[bool, typer.Option("--compile", help="torch.compile the network.")] = False,
    recogniser: Annotated[
        Path | None, typer.Option(help="Folder of the recogniser's weights (perceptual loss).")
    ] = None,
    templates: Annotated[
        Path | None, typer.Option(help="Folder of mask drawings to wear in training too.")
    ] = None,
    val_templates: Annotated[
        Path | None, typer.Option(help="Folder of mask drawings to validate on.")
    ] = None,
    places: Annotated[
        Path | None,
        typer.Option(help="Segmenter: photographs without masks, for any part of them."),
    ] = None,
    manifest: Annotated[
        Path | None, typer.Option(help="Splits of --places, as for prepare.")
    ] = None,
) -> None:
    """Train a network."""
    from trainer.commands.fit import Devices, Helpers, Order, start
    from trainer.presets import Changes

    start(
        Order(
            preset,
            data,
            run,
            changes=Changes(scale, batch, width, faces, seed, teacher, tuple(stage or ())),
            devices=Devices(accelerator, devices, precision, threads, compiled),
            helpers=Helpers(recogniser, templates, val_templates, begin, places, manifest),
            resume=resume,
        )
    )


@app.command()
def evaluate(
    data: Annotated[list[Path], typer.Option(help="Prepared file; repeat for several shards.")],
    out: Annotated[Path, typer.Option(help="Folder for JSON, Markdown table and sheets.")],
    run: Annotated[Path | None, typer.Option(help="Run folder of a fit; or name --model.")] = None,
    model: Annotated[str | None, typer.Option(help="fast, paper, or an ONNX file.")] = None,
    engine: Annotated[str, typer.Option(help="What runs --model: auto, openvino, ...")] = "auto",
    split: Annotated[str, typer.Option(help="val, train or test.")] = "val",
    source: Annotated[list[str] | None, typer.Option(help="Data set; repeat; all if none.")] = None,
    faces: Annotated[int, typer.Option(help="At most this many of each source; 0: all.")] = 0,
    protocol: Annotated[
        list[str] | None, typer.Option(help="paper-squares or face-mask; repeat; both if none.")
    ] = None,
    recogniser: Annotated[
        Path | None, typer.Option(help="Folder of the recogniser's weights (perceptual distance).")
    ] = None,
    identity: Annotated[bool, typer.Option(help="Measure identity, where dlib is there.")] = True,
    seed: Annotated[int, typer.Option(help="Of the choice of faces and of the holes.")] = 7,
) -> None:
    """Measure a run or a model on held-out faces: PSNR, SSIM, perceptual distance, identity."""
    from trainer.commands.evaluate import run as evaluate_run

    print(
        evaluate_run(
            data,
            out,
            run=run,
            model=model,
            engine=engine,
            split=split,
            sources=source or (),
            faces_per_source=faces,
            protocols=protocol or (),
            recogniser=recogniser,
            identity=identity,
            seed=seed,
        )
    )


@app.command()
def export(
    data: Annotated[list[Path], typer.Option(help="Prepared file; repeat for several shards.")],
    run: Annotated[Path | None, typer.Option(help="Run folder of a fit; or name --model.")] = None,
    model: Annotated[
        Path | None, typer.Option(help="An exported .onnx (fp32, fp16) to export again.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder to write the artefact to.")] = Path(
        "inpaint_model/weights"
    ),
    share: Annotated[
        float | None,
        typer.Option(
            help="Average --run, counting so much, 0 to 1, with --model, which it began from."
        ),
    ] = None,
) -> None:
    """Write the artefact (ONNX generator, int8 too; TFLite segmenter) and check its parity."""
    from trainer.commands.export import export as run_export

    print(run_export(run, model, data, out, share))


def main() -> None:
    """Run a command; a UserError is one line and exit code 2."""
    try:
        app()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
