"""The options that several commands share, and how texts such as times are parsed."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from realtime.media.codecs import Encoding


class EngineName(StrEnum):
    """The library that runs the network."""

    AUTO = "auto"
    OPENVINO = "openvino"
    ONNXRUNTIME = "onnxruntime"
    TENSORRT = "tensorrt"
    TORCH = "torch"


class CodecName(StrEnum):
    """The codec of a written video; H.264 and HEVC have two names each."""

    AUTO = "auto"
    H264 = "h264"
    AVC = "avc"
    HEVC = "hevc"
    H265 = "h265"
    AV1 = "av1"
    VP9 = "vp9"
    PRORES = "prores"
    FFV1 = "ffv1"


Input = Annotated[Path, typer.Argument(metavar="INPUT", show_default=False)]
Output = Annotated[Path, typer.Argument(metavar="OUTPUT", show_default=False)]
Model = Annotated[str, typer.Option(help="fast, paper, or the path of an .onnx generator.")]
Models = Annotated[
    list[str] | None,
    typer.Option("--model", help="A model; may be repeated; default: fast, paper."),
]
Engine = Annotated[EngineName, typer.Option(help="What runs the network; auto: the fastest.")]
MaxFaces = Annotated[int, typer.Option(min=1, help="Unmask at most N faces, the largest first.")]
MAX_FACES = 32  # in files, which may take their time
ModelsDir = Annotated[
    Path | None, typer.Option(help="Folder with MediaPipe's face_landmarker.task.")
]
ReportPath = Annotated[
    Path | None, typer.Option("--report", help="Write figures and face records here, as JSON.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an existing output.")]
SideBySide = Annotated[bool, typer.Option("--side-by-side", help="Show source and result.")]
Strict = Annotated[
    bool,
    typer.Option("--strict", help="Exit code 1 where no face is found; the output is the same."),
]
Badge = Annotated[
    bool, typer.Option("--badge", help="Label frames with synthetic faces in the picture.")
]
DropAlpha = Annotated[
    bool, typer.Option("--drop-alpha", help="Leave transparency out instead of refusing it.")
]
Codec = Annotated[
    CodecName,
    typer.Option(case_sensitive=False, help="auto: H.264; HEVC above 8 bits; VP9 or AV1 in WebM."),
]
_SYNONYMS = {CodecName.AVC: CodecName.H264, CodecName.H265: CodecName.HEVC}
Crf = Annotated[
    int | None,
    typer.Option(
        help="Constant quality, lower is better: 0 to 51, for VP9 and AV1 to 63; "
        "default: visually lossless."
    ),
]
Hardware = Annotated[
    bool, typer.Option("--hardware", help="Encode on the GPU if possible: lower quality.")
]


def encoding_of(codec: CodecName, crf: int | None, *, hardware: bool) -> Encoding:
    """Return the encoding that the options ask for.

    Raises:
        UserError: the codec has no such quality.
    """
    from realtime.media.codecs import Encoding, check_crf

    name = _SYNONYMS.get(codec, codec).value
    check_crf(name, crf)
    return Encoding(name, crf, hardware)


def parse_time(text: str | None, option: str) -> float | None:
    """Return seconds from "75", "75.5", "1:15" or "0:01:15.5".

    Raises:
        UserError: the text is not a time.
    """
    from inpaint_model.errors import UserError

    if text is None:
        return None
    match = re.fullmatch(r"(?:(?:(\d+):)?(\d+):)?(\d{1,7}(?:\.\d*)?)", text)
    if match is None:
        raise UserError(f"{option}: {text} is not a time such as 75.5 or 1:15")
    hours, minutes, seconds = match.groups("0")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def parse_size(text: str) -> tuple[int, int]:
    """Return width and height, pixels, from "1280x720".

    Raises:
        UserError: the text is not a size.
    """
    from inpaint_model.errors import UserError

    match = re.fullmatch(r"(\d{2,5})x(\d{2,5})", text)
    if match is None:
        raise UserError(f"--size {text}: write it as 1280x720")
    return int(match[1]), int(match[2])
