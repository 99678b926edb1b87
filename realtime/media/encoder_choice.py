"""Chooses encoder and pixel format for a video; a hardware encoder if asked for and available."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import av
import av.error
from av.video.codeccontext import VideoCodecContext
from av.video.format import VideoFormat

from inpaint_model.errors import UserError
from realtime.media.codecs import CODECS, Codec, Encoding, check_crf, container_format
from realtime.media.colour import bit_depth

_PROBE_SIDE = 256  # pixels; some hardware encoders refuse smaller frames
ALPHA_CODECS = {"prores", "ffv1"}
"""These codecs keep transparency."""
_PLANAR = {  # the planar format with the same samples
    "nv12": "yuv420p",
    "nv21": "yuv420p",
    "nv16": "yuv422p",
    "yuyv422": "yuv422p",
    "uyvy422": "yuv422p",
    "yvyu422": "yuv422p",
    "p010le": "yuv420p10le",
    "p210le": "yuv422p10le",
    "nv24": "yuv444p",
}
_HARDWARE_FORMATS = {"yuv420p": "nv12", "yuv420p10le": "p010le"}


@dataclass(frozen=True)
class EncoderChoice:
    """How a video is encoded.

    Attributes:
        codec: a key of `CODECS`.
        encoder: FFmpeg's name of the encoder.
        pixel_format: the pixel format in which frames are processed.
        encoder_format: the pixel format that the encoder takes: the same samples, maybe interleaved.
        options: the encoder's options.
        interlaced: the source has two fields a frame.
        warnings: one line each.
    """

    codec: str
    encoder: str
    pixel_format: str
    encoder_format: str
    options: dict[str, str]
    interlaced: bool = False
    warnings: list[str] = field(default_factory=list)


def choose_encoder(
    frame: av.VideoFrame, target: Path, encoding: Encoding, *, drop_alpha: bool = False
) -> EncoderChoice:
    """Choose the encoder for a video.

    Args:
        frame: its first frame, as decoded.
        target: its suffix decides which codecs fit.
        encoding: what the user asks for.
        drop_alpha: the result has no transparency.

    Raises:
        UserError: the source has transparency or fields that the codec cannot hold, or the codec has no
            such quality.
    """
    container = container_format(target)
    alpha = has_alpha(frame.format) and not drop_alpha
    names = [encoding.codec]
    if encoding.codec == "auto":
        deep = bit_depth(frame.format) > 8
        preferred = ["hevc", "h264"] if deep else ["h264", "hevc"]  # most players decode these
        names = [n for n in (*preferred, "vp9", "av1") if container in CODECS[n].containers]
    if alpha and not ALPHA_CODECS.intersection(names):
        raise UserError(
            "the video has transparency, which this codec loses; --codec prores (.mov) or "
            "--codec ffv1 (.mkv) keeps it, --drop-alpha leaves it out"
        )
    ranked = [
        (best, index, name)
        for index, name in enumerate(names)
        if (best := _best_format(frame, name, alpha=alpha)) is not None
    ]
    (loss, pixel_format), _, name = min(ranked)
    check_crf(name, encoding.crf)
    warnings = []
    if loss:
        warnings.append(f"{frame.format.name} frames are encoded as {pixel_format}")
    if frame.interlaced_frame and name not in ("h264", "prores", "ffv1"):
        raise UserError(f"the video is interlaced, which {name} does not support; use --codec h264")
    choice = EncoderChoice(
        name,
        CODECS[name].encoder,
        pixel_format,
        pixel_format,
        _options(CODECS[name], CODECS[name].encoder, encoding.crf, pixel_format),
        frame.interlaced_frame,
        warnings,
    )
    return _on_hardware(choice, encoding) if encoding.hardware else choice


def has_alpha(pixel_format: VideoFormat) -> bool:
    """Say whether frames of this format have transparency."""
    return any(component.is_alpha for component in pixel_format.components)


def _best_format(frame: av.VideoFrame, name: str, *, alpha: bool) -> tuple[int, str] | None:
    """Return the codec's pixel format that is closest to the source's, and its cost (0: the same)."""
    source = frame.format
    bits = bit_depth(source)
    is_yuv = not source.is_rgb and not source.has_palette
    across, down = _subsampling(source) if is_yuv else (1, 1)
    planar = _PLANAR.get(source.name, source.name.replace("be", "le"))
    planar = planar if alpha else planar.replace("yuva", "yuv")
    found: list[tuple[int, str]] = []
    for candidate in _planar_formats(CODECS[name].encoder):
        x, y = _subsampling(candidate)
        if has_alpha(candidate) != alpha or frame.width % x or frame.height % y:
            continue
        if "440" in candidate.name and name != "ffv1":
            continue  # almost no player opens it, and FFmpeg does not open it in MP4
        depth = candidate.components[0].bits
        grey = len(candidate.components) < 3
        if candidate.name == planar:
            found.append((0, candidate.name))
        elif x <= across and y <= down and grey <= (source.name.startswith("gray")):
            coarser = 100 if depth < min(bits, 12) else 0
            finer = 4 // (x * y) - 4 // (across * down) + abs(depth - bits)
            full = 1 if candidate.name.startswith("yuvj") else 0
            found.append((1 + coarser + finer * 2 + full, candidate.name))
    return min(found, default=None)


def _planar_formats(encoder: str) -> Iterator[VideoFormat]:
    """Yield the planar YUV and grey formats that the encoder takes."""
    for candidate in av.Codec(encoder, "w").video_formats or []:
        name = candidate.name
        is_planar = candidate.is_planar or name.startswith("gray")
        if is_planar and name.startswith(("yuv", "gray")) and not name.endswith("be"):
            yield candidate


def _subsampling(pixel_format: VideoFormat) -> tuple[int, int]:
    """Return how many pixels a chroma sample spans, horizontally and vertically."""
    if len(pixel_format.components) < 3:
        return 1, 1
    chroma = VideoFormat(pixel_format.name, 64, 64).components[1]
    return 64 // chroma.width, 64 // chroma.height


def _options(codec: Codec, encoder: str, crf: int | None, pixel_format: str) -> dict[str, str]:
    options = dict(codec.options)
    if codec.crf is not None:
        options["crf"] = str(codec.crf if crf is None else crf)
    if encoder == "prores_ks":
        options["profile"] = "4444" if "444" in pixel_format else "hq"
        if pixel_format.startswith("yuva"):
            options["alpha_bits"] = "16"
    return options


def _on_hardware(software: EncoderChoice, encoding: Encoding) -> EncoderChoice:
    """Return the first hardware encoder that works; if none does, the software encoder and a warning."""
    codec = CODECS[software.codec]
    crf = encoding.crf if encoding.crf is not None else codec.crf
    pixel_format = _HARDWARE_FORMATS.get(software.pixel_format)
    tried = []
    if pixel_format and not software.interlaced:
        for encoder in codec.hardware:
            options = _hardware_options(encoder, crf or 20)
            if _works(encoder, pixel_format, options):
                return EncoderChoice(
                    software.codec, encoder, software.pixel_format, pixel_format, options
                )
            tried.append(encoder)
    why = f"{', '.join(tried)} cannot run here" if tried else "none supports this pixel format"
    warning = f"no hardware encoder: {why}; encoded by {software.encoder}"
    return replace(software, warnings=[*software.warnings, warning])


def _hardware_options(encoder: str, crf: int) -> dict[str, str]:
    if encoder.endswith("_nvenc"):
        return {"rc": "vbr", "cq": str(crf), "preset": "p5"}
    if encoder.endswith("_qsv"):
        return {"global_quality": str(crf), "preset": "medium"}
    return {"q": "65", "allow_sw": "0"}


def _works(encoder: str, pixel_format: str, options: dict[str, str]) -> bool:
    """Try to encode one small frame."""
    try:
        context = av.CodecContext.create(encoder, "w")
        assert isinstance(context, VideoCodecContext)
        context.width = context.height = _PROBE_SIDE
        context.pix_fmt, context.options = pixel_format, dict(options)
        context.time_base = Fraction(1, 25)
        frame = av.VideoFrame(_PROBE_SIDE, _PROBE_SIDE, pixel_format)
        frame.pts = 0
        return bool(context.encode(frame) + context.encode(None))
    except (av.error.FFmpegError, ValueError):  # no such encoder, no such GPU
        return False
