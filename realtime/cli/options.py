"""The options of commands that write videos."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class CodecName(StrEnum):
    """What videos can be coded as."""

    AUTO = "auto"
    H264 = "h264"
    HEVC = "hevc"
    AV1 = "av1"
    VP9 = "vp9"
    PRORES = "prores"
    FFV1 = "ffv1"


SideBySide = Annotated[
    bool, typer.Option("--side-by-side", help="Input and result beside each other.")
]
Badge = Annotated[bool, typer.Option("--badge", help="Write into the picture: synthetic.")]
Codec = Annotated[
    CodecName, typer.Option(help="auto: H.264; HEVC for more than 8 bits; VP9 or AV1 in WebM.")
]
Crf = Annotated[
    int | None,
    typer.Option(min=0, help="Quality, lower is better; default: not to be told from the input."),
]
Hardware = Annotated[
    bool, typer.Option("--hardware", help="Code on the graphics chip where it can: coarser.")
]


def parse_time(text: str | None, option: str) -> float | None:
    """Return seconds from "75", "75.5", "1:15" or "0:01:15.5".

    Raises:
        UserError: it is no time.
    """
    from inpaint_model.errors import UserError

    if text is None:
        return None
    parts = text.split(":")
    try:
        if len(parts) > 3:
            raise ValueError
        numbers = [float(part) for part in parts]
        if any(not 0 <= number < 1e7 for number in numbers):
            raise ValueError
    except ValueError:
        raise UserError(f"{option}: {text} is no time such as 75.5 or 1:15") from None
    return sum(number * 60**place for place, number in enumerate(reversed(numbers)))
