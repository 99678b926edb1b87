"""Unmasks one picture file."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from realtime.media.atomic_file import atomic_write, check_paths
from realtime.media.pictures import check_target, read_picture, write_picture
from realtime.runtime.report import Counts, NoFaceError, Report
from realtime.runtime.stage_times import StageTimes
from realtime.stages import FrameUnmasker


def check_image(source: Path, target: Path, *, overwrite: bool = False) -> None:
    """Refuse what cannot work, before any model is loaded.

    Raises:
        UserError: a path cannot be used, or the source is no picture or does not fit the target.
    """
    check_paths(source, target, overwrite=overwrite)
    check_target(target)
    check_target(target, read_picture(source))


def unmask_image(
    source: Path, target: Path, unmasker: FrameUnmasker, *, overwrite: bool = False
) -> Report:
    """Unmask a picture; the result has its size, depth, channels and profile.

    Where no mask was found, `target` is a copy of the source.

    Args:
        source: a picture.
        target: the file to write, .png, .jpg or .webp.
        unmasker: opened in mode "image".
        overwrite: replace an output that exists.

    Raises:
        UserError: the source is no whole picture, holds no face, or the target cannot be written.
    """
    check_image(source, target, overwrite=overwrite)
    counts, times, warnings = Counts(), StageTimes(), []
    began = time.perf_counter()
    picture = read_picture(source)
    if picture.frames > 1:
        warnings.append(f"only the first of {picture.frames} pictures in the file is unmasked")
    times.add({"decode": (time.perf_counter() - began) * 1e3})
    result = unmasker(picture.bgr)
    counts.add(result)
    times.add(result.latency_ms)
    if not result.faces:
        raise NoFaceError(f"{source}: no face found")
    encode_began = time.perf_counter()
    with atomic_write(target) as temporary:
        if counts.masked_faces:
            write_picture(temporary, target, picture.replace(result.frame, result.replaced))
        elif _same_kind(source, target):
            warnings.append("no mask found: the output is a copy of the input")
            shutil.copyfile(source, temporary)
        else:
            warnings.append("no mask found: nothing was replaced")
            write_picture(temporary, target, picture)
    ended = time.perf_counter()
    times.add({"encode": (ended - encode_began) * 1e3})
    return Report.of(counts, times, ended - began, unmasker, warnings)


def _same_kind(source: Path, target: Path) -> bool:
    jpeg = {".jpg", ".jpeg"}
    suffixes = {source.suffix.lower(), target.suffix.lower()}
    return len(suffixes) == 1 or suffixes == jpeg
