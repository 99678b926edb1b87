"""The codecs and containers that are written, and which of them fit together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from inpaint_model.errors import UserError

FORMATS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}


@dataclass(frozen=True)
class Encoding:
    """What the user asks for.

    Attributes:
        codec: "auto", or one of `CODECS`. Auto takes the first that holds the source as it is.
        crf: constant quality on the codec's own scale, lower is better; None takes a value that
            cannot be told from the source by eye.
        hardware: use the graphics chip's encoder where there is one.
    """

    codec: str = "auto"
    crf: int | None = None
    hardware: bool = False


@dataclass(frozen=True)
class Codec:
    """A kind of video and how it is written.

    Attributes:
        encoder: FFmpeg's software encoder.
        hardware: encoders of graphics chips, the first that works is taken.
        containers: FFmpeg's names of the formats that hold it.
        crf, most_crf: default quality, and the scale's end; None where there is no such scale.
        options: the encoder's options.
    """

    encoder: str
    containers: tuple[str, ...]
    crf: int | None
    most_crf: int | None
    options: dict[str, str]
    hardware: tuple[str, ...] = ()


_ALL = ("mp4", "mov", "matroska")
CODECS = {
    "h264": Codec(
        "libx264",
        _ALL,
        19,
        51,
        {
            "preset": "superfast"
        },  # at equal quality half of veryfast's time, one and a half its size
        ("h264_nvenc", "h264_videotoolbox", "h264_qsv"),
    ),
    "hevc": Codec(
        "libx265",
        _ALL,
        19,
        51,
        {"preset": "veryfast", "x265-params": "log-level=error"},
        ("hevc_nvenc", "hevc_videotoolbox", "hevc_qsv"),
    ),
    "vp9": Codec(
        "libvpx-vp9",
        ("webm", "matroska", "mp4"),
        22,
        63,
        {"deadline": "good", "cpu-used": "5", "row-mt": "1"},
    ),
    "av1": Codec(
        "libsvtav1",
        ("webm", "matroska", "mp4"),
        22,
        63,
        {"preset": "9"},
        ("av1_nvenc", "av1_qsv"),
    ),
    "prores": Codec("prores_ks", ("mov", "matroska"), None, None, {}),
    "ffv1": Codec("ffv1", ("matroska",), None, None, {"level": "3", "slices": "4"}),
}


def container_format(target: Path) -> str:
    """Return FFmpeg's name for the target's format.

    Raises:
        UserError: it is none of those that are written.
    """
    try:
        return FORMATS[target.suffix.lower()]
    except KeyError:
        raise UserError(f"{target}: name an {', '.join(FORMATS)} file") from None


def check_encoding(target: Path, encoding: Encoding) -> None:
    """Refuse wishes that cannot be met for any source.

    Raises:
        UserError: the container does not hold the codec, or the quality is off its scale.
    """
    container = container_format(target)
    if encoding.codec == "auto":
        return
    codec = CODECS[encoding.codec]
    if container not in codec.containers:
        fits = [suffix for suffix, name in FORMATS.items() if name in codec.containers]
        raise UserError(f"{target}: {encoding.codec} needs a {' or '.join(fits)} file")
    if encoding.crf is None:
        return
    if codec.most_crf is None:
        raise UserError(f"--crf: {encoding.codec} has no such setting")
    if encoding.crf > codec.most_crf:
        raise UserError(f"--crf: {encoding.codec} goes from 0 to {codec.most_crf}")
