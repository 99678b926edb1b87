"""The kinds of files that are pictures and videos, by suffix: one list for all commands."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from pathlib import Path

from realtime.media.codecs import CONTAINERS

JPEG_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif")
WRITTEN_PICTURES = (".png", *JPEG_SUFFIXES, ".webp")
HEIF_SUFFIXES = (".heic", ".heif", ".hif")
"""Read by pillow-heif, of the extra `heif`."""
PICTURES = {
    *WRITTEN_PICTURES,
    *HEIF_SUFFIXES,
    *(".bmp", ".dib", ".tif", ".tiff", ".avif", ".jp2", ".j2k", ".jpx", ".jpf"),
    *(".ppm", ".pgm", ".pnm", ".tga"),
}
VIDEOS = {
    *CONTAINERS,
    *(".avi", ".divx", ".ts", ".mts", ".m2ts", ".m2t", ".mpg", ".mpeg", ".mpe", ".m2v", ".vob"),
    *(".wmv", ".asf", ".flv", ".f4v", ".3gp", ".3g2", ".ogv", ".dv", ".mxf", ".mod", ".tod"),
    *(".y4m", ".mjpg", ".mjpeg", ".nut", ".qt"),
}
_GIF = ".gif"  # a picture if it has one frame


def is_picture(path: Path) -> bool:
    """Say whether a file is handled as a picture; the content decides where the suffix does not."""
    suffix = path.suffix.lower()
    if suffix in PICTURES:
        return True
    return suffix not in VIDEOS and _still_frames(path) == 1


def is_known(path: Path) -> bool:
    """Say whether a file in a folder is taken for a picture or a video."""
    return path.suffix.lower() in PICTURES | VIDEOS | {_GIF}


def walk_files(folder: Path, *, leave_out: Path | None = None) -> Iterator[Path]:
    """Yield the files of a folder tree by name; hidden files and links to folders are skipped.

    Args:
        folder: the tree.
        leave_out: a folder in the tree that is not entered, such as that of the results.
    """
    other = None if leave_out is None else leave_out.resolve()
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if (Path(parent) / name).resolve() != other)
        yield from (Path(parent) / name for name in sorted(names) if not name.startswith("."))


def register_heif() -> bool:
    """Let Pillow read HEIC, if pillow-heif is installed; return whether it is."""
    try:
        importlib.import_module("pillow_heif").register_heif_opener()
    except ImportError:
        return False
    return True


def _still_frames(path: Path) -> int:
    """Return the number of frames in a picture file; 0: it is no picture."""
    from PIL import Image

    if not path.is_file():
        return 0
    register_heif()
    try:
        with Image.open(path) as picture:
            return getattr(picture, "n_frames", 1)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return 0
