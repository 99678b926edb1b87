"""Photographs of masked people, to be looked at as pictures and as streams of equal frames."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.finding.options import FindOptions
from benchmarks.photographs.lists import is_clear, pictures_in, read_pictures
from realtime.demo.clip import CameraPath, DemoClip
from realtime.synthetic import preset_style
from realtime.synthetic.style import Kind

_KINDS: tuple[Kind, ...] = ("surgical", "cloth", "n95", "kn95")


def masked_photographs(
    options: FindOptions, progress: str
) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Yield names and pictures, uint8 [H, W, 3] BGR: the folders' clear photographs, else the demo's clip.

    Args:
        options: of the benchmark; `count` takes that many photographs, evenly spread.
        progress: what the progress bar says.
    """
    if not options.photos:
        yield from _of_demo(options.count or len(_KINDS))
        return
    clear = [path for path in pictures_in(options.photos) if is_clear(path)]
    if options.count and options.count < len(clear):
        clear = [clear[i] for i in np.linspace(0, len(clear) - 1, options.count).astype(int)]
    for path, picture in read_pictures(clear, progress):
        if picture is not None:
            yield _name(path), picture


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _of_demo(count: int) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    for number in range(count):
        kind = _KINDS[number % len(_KINDS)]
        clip = DemoClip(path=CameraPath(seconds=count), style=preset_style(kind))
        yield f"{kind} {number}", np.ascontiguousarray(clip.masked_rgb(number)[:, :, ::-1])
