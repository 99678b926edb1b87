"""The codecs and containers that can be written, and which of them fit together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from inpaint_model.errors import UserError

CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}


@dataclass(frozen=True)
class Encoding:
    """The encoding that the user asks for.

    Attributes:
        codec: "auto", or one of `CODECS`. Auto takes the first that can hold the source's pixel format.
        crf: constant quality on the codec's own scale, lower is better; None: visually lossless.
        hardware: use a hardware encoder if one works.
    """

    codec: str = "auto"
    crf: int | None = None
    hardware: bool = False


@dataclass(frozen=True)
class Codec:
    """A codec and how it is encoded.

    Attributes:
        encoder: FFmpeg's software encoder.
        containers: FFmpeg's names of the containers that hold it.
        options: the encoder's options.
        crf, max_crf: default and largest constant quality value; None: the codec has no such scale.
        hardware: FFmpeg's hardware encoders; the first that works is taken.
    """

    encoder: str
    containers: tuple[str, ...]
    options: dict[str, str]
    crf: int | None = None
    max_crf: int | None = None
    hardware: tuple[str, ...] = ()


_X264_OPTIONS = {"preset": "superfast"}  # half the time of veryfast at 1.5 times its size
_X265_OPTIONS = {"preset": "veryfast", "x265-params": "log-level=error"}
_VP9_OPTIONS = {"deadline": "good", "cpu-used": "5", "row-mt": "1"}
_MP4_MOV_MKV, _WEBM_MKV_MP4 = ("mp4", "mov", "matroska"), ("webm", "matroska", "mp4")
_H264_GPU = ("h264_nvenc", "h264_videotoolbox", "h264_qsv")
_HEVC_GPU = ("hevc_nvenc", "hevc_videotoolbox", "hevc_qsv")
_AV1_GPU = ("av1_nvenc", "av1_qsv")
CODECS = {
    "h264": Codec("libx264", _MP4_MOV_MKV, _X264_OPTIONS, 19, 51, _H264_GPU),
    "hevc": Codec("libx265", _MP4_MOV_MKV, _X265_OPTIONS, 19, 51, _HEVC_GPU),
    "vp9": Codec("libvpx-vp9", _WEBM_MKV_MP4, _VP9_OPTIONS, 22, 63),
    "av1": Codec("libsvtav1", _WEBM_MKV_MP4, {"preset": "9"}, 22, 63, _AV1_GPU),
    "prores": Codec("prores_ks", ("mov", "matroska"), {}),
    "ffv1": Codec("ffv1", ("matroska",), {"level": "3", "slices": "4"}),
}


def container_format(target: Path) -> str:
    """Return FFmpeg's name of the target's container.

    Raises:
        UserError: its suffix is not one of `CONTAINERS`.
    """
    try:
        return CONTAINERS[target.suffix.lower()]
    except KeyError:
        raise UserError(f"{target}: name an {', '.join(CONTAINERS)} file") from None


def check_encoding(target: Path, encoding: Encoding) -> None:
    """Refuse an encoding that cannot work for any source.

    Raises:
        UserError: the container does not hold the codec, or the quality is outside its scale.
    """
    container = container_format(target)
    if encoding.codec == "auto":
        return check_crf("auto", encoding.crf)
    codec = CODECS[encoding.codec]
    if container not in codec.containers:
        fits = [suffix for suffix, name in CONTAINERS.items() if name in codec.containers]
        raise UserError(f"{target}: {encoding.codec} needs a {' or '.join(fits)} file")
    check_crf(encoding.codec, encoding.crf)


def check_crf(codec: str, crf: int | None) -> None:
    """Refuse a constant quality outside the codec's scale.

    Args:
        codec: a key of `CODECS`; "auto": refuse what no codec has.
        crf: constant quality; None: the codec's default.

    Raises:
        UserError: the codec has no such quality.
    """
    if crf is None:
        return
    names = CODECS if codec == "auto" else [codec]
    most = {name: top for name in names if (top := CODECS[name].max_crf) is not None}
    if not most:
        raise UserError(f"--crf: {codec} has no such setting")
    if not 0 <= crf <= max(most.values()):
        scales = ", ".join(f"{name} goes from 0 to {top}" for name, top in most.items())
        raise UserError(f"--crf {crf}: {scales}")
