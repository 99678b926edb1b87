"""Options that several of the benchmarks' commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from inpaint_model.errors import UserError

Data = Annotated[list[Path], typer.Option(help="Prepared file of faces; repeat for shards.")]
Out = Annotated[Path | None, typer.Option(help="Folder for JSON and sheets.")]
Model = Annotated[str, typer.Option(help="fast, paper, or an ONNX file.")]
Engine = Annotated[str, typer.Option(help="auto, openvino, onnxruntime, ...")]


def parse_size(text: str) -> tuple[int, int]:
    """Read `--size` as width and height in pixels.

    Raises:
        UserError: it is none.
    """
    try:
        width, height = (int(part) for part in text.split("x"))
    except ValueError:
        raise UserError(f"--size: {text} is no size such as 1280x720") from None
    return width, height
