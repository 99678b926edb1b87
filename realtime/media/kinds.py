"""The kinds of files that are pictures and videos, by suffix: one list for all commands."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from realtime.media.codecs import CONTAINERS
from realtime.media.picture_opening import open_picture

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
    return suffix not in VIDEOS and is_still(path)


def is_known(path: Path) -> bool:
    """Say whether a file in a folder is taken for a picture or a video."""
    return path.suffix.lower() in PICTURES | VIDEOS | {_GIF}


def walk_files(
    folder: Path, *, leave_out: Path | None = None, follow: bool = True
) -> Iterator[Path]:
    """Yield the files of a folder tree by name; hidden files and links to folders are skipped.

    Args:
        folder: the tree.
        leave_out: a folder in the tree that is not entered, such as that of the results.
        follow: also yield links to files, which may lie elsewhere.
    """
    other = None if leave_out is None else leave_out.resolve()
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if (Path(parent) / name).resolve() != other)
        paths = (Path(parent) / name for name in sorted(names) if not name.startswith("."))
        yield from (path for path in paths if follow or not path.is_symlink())


def is_still(path: Path) -> bool:
    """Say whether a file is a picture that does not move, by its content."""
    if not path.is_file():
        return False
    try:
        with open_picture(path) as picture:
            return not getattr(picture, "is_animated", False)
    except Exception:  # Pillow's readers raise errors of every kind on other files
        return False
