"""Options that several of the benchmarks' commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from inpaint_model.errors import UserError

CLIPS_HELP = "Clip of one bare face, or a folder; repeat."
PHOTOS_HELP = "Folder of masked people; repeat."
Data = Annotated[list[Path], typer.Option(help="Prepared file of faces; repeat for shards.")]
Templates = Annotated[Path | None, typer.Option(help="Folder of mask drawings.")]
Photos = Annotated[list[Path], typer.Option(help=PHOTOS_HELP)]
Clips = Annotated[list[Path], typer.Option(help=CLIPS_HELP)]
Clip = Annotated[
    Path | None, typer.Option(help="Clip of one bare face; else the demo's.", show_default=False)
]
Limit = Annotated[int, typer.Option(help="At most so many; 0: all.")]
Count = Annotated[int, typer.Option(min=1, help="So many in all.")]
Seed = Annotated[int, typer.Option(help="Seed of the random choice.")]
Size = Annotated[str, typer.Option(help="Width x height.")]
Seconds = Annotated[float, typer.Option(min=0.1, help="Length of the clip.")]
Models = Annotated[list[str] | None, typer.Option(help="Model; repeat; fast and paper.")]
Batches = Annotated[list[int] | None, typer.Option(help="Crops a call; repeat; 1 and 4.")]
Threads = Annotated[int, typer.Option(help="CPU threads; 0: the engine or torch decides.")]
Rounds = Annotated[int, typer.Option(min=1, help="Runs of each.")]
Out = Annotated[Path | None, typer.Option(help="Folder for JSON and sheets.")]
Model = Annotated[str, typer.Option(help="fast, paper, or an ONNX file.")]
Engine = Annotated[str, typer.Option(help="auto, openvino, onnxruntime, ...")]

MODELS, BATCHES = ("fast", "paper"), (1, 4)  # where none are named


def parse_size(text: str) -> tuple[int, int]:
    """Read `--size` as width and height in pixels.

    Raises:
        UserError: the text is not a size.
    """
    try:
        width, height = (int(part) for part in text.split("x"))
    except ValueError:
        raise UserError(f"--size: {text} is not a size such as 1280x720") from None
    return width, height
