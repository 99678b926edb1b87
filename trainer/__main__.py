"""The trainer's command line: prepare, fit, evaluate, export."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict

import typer

from inpaint_model.errors import UserError
from trainer.options import (
    EvaluateOptions,
    ExportOptions,
    FitOptions,
    PrepareOptions,
    takes_options,
)

_BEGAN_S = time.monotonic()  # when this process started; what takes long is imported later

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)


@app.callback()
def _trainer() -> None:
    """Prepare data, train, evaluate and export the networks."""


@app.command()
@takes_options(PrepareOptions)
def prepare(options: PrepareOptions) -> None:
    """Find, align and crop the faces of photographs into one file."""
    from trainer.data.prepare import prepare as run

    print(run(**asdict(options)))


@app.command()
@takes_options(FitOptions)
def fit(options: FitOptions) -> None:
    """Train a network."""
    from trainer.commands.fit import start

    start(options, began_s=_BEGAN_S)


@app.command()
@takes_options(EvaluateOptions)
def evaluate(options: EvaluateOptions) -> None:
    """Measure a run or a model on held-out faces: PSNR, SSIM, perceptual distance, identity."""
    from trainer.commands.evaluate import run

    print(run(options))


@app.command()
@takes_options(ExportOptions)
def export(options: ExportOptions) -> None:
    """Write the artefact (ONNX, a generator's int8 too; TFLite segmenter) and check its parity."""
    from trainer.commands.export import export as run

    print(run(options))


def main() -> None:
    """Run a command; a UserError is one line and exit code 2."""
    try:
        app()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
