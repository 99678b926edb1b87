"""Photographs of masked people, to be looked at as pictures and as streams of equal frames."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.finding.faces import spread
from benchmarks.finding.options import FindOptions
from benchmarks.photographs.lists import is_clear, pictures_in, read_pictures
from realtime.demo.clip import CameraPath, DemoClip
from realtime.synthetic import preset_style
from realtime.synthetic.style import Kind

_KINDS: tuple[Kind, ...] = ("surgical", "cloth", "n95", "kn95")


def masked_photographs(
    options: FindOptions, progress: str, *, clear: bool
) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Yield names and pictures, uint8 [H, W, 3] BGR, of the folders; without any frames of the demo's clip.

    Args:
        options: of the benchmark; `count` takes that many photographs, evenly spread.
        progress: what the progress bar says.
        clear: leave out the photographs that their folder's list leaves out.
    """
    if not options.photos:
        yield from _of_demo(options.count or len(_KINDS))
        return
    paths = [path for path in pictures_in(options.photos) if is_clear(path) or not clear]
    if options.count:
        paths = spread(paths, options.count)
    for path, picture in read_pictures(paths, progress):
        if picture is not None:
            yield _name(path), picture


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _of_demo(count: int) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    for number in range(count):
        kind = _KINDS[number % len(_KINDS)]
        clip = DemoClip(path=CameraPath(seconds=count), style=preset_style(kind))
        yield f"{kind} {number}", np.ascontiguousarray(clip.masked_rgb(number)[:, :, ::-1])
