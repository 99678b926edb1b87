"""False alarms: share of frames without people in which a face is found or a pixel changed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import chain
from typing import Annotated

import cv2
import numpy as np
import skimage.data
import typer
from numpy.typing import NDArray
from rich.progress import track

from benchmarks.options import Count, Engine, Model, Out, Seed
from benchmarks.photographs.tiles import fit, labelled, write_pages
from benchmarks.tables import Row, publish
from realtime import Unmasker
from realtime.frames import UnmaskResult
from realtime.unmasker import Mode

# scikit-image's pictures that come inside its wheel and show neither people nor animals.
_PICTURES = (
    *("brick", "cell", "clock", "coffee", "grass", "gravel", "hubble_deep_field"),
    *("immunohistochemistry", "moon", "page", "retina", "rocket", "stereo_motorcycle", "text"),
)
_WIDTH, _HEIGHT = 640, 480
# Frames of each view, in which a large face without landmarks is looked at twice, and the camera's motion
# between them.
_STREAM_FRAMES, _STEP_PX = 9, 4
_TILE_PX, _COLUMNS, _PER_PAGE = 320, 5, 30
_RED, _YELLOW = (0, 0, 255), (0, 255, 255)  # BGR
Frame = NDArray[np.uint8]


def views(count: int, frames: int = 1, seed: int = 0) -> Iterator[tuple[str, list[Frame]]]:
    """Show random regions of random pictures as a camera that moves slowly; the same for a seed.

    Place, scale, mirroring and brightness are random too.

    Args:
        count: regions.
        frames: of each region.
        seed: of the draw.

    Yields:
        The picture's name and its frames, uint8 [480, 640, 3] BGR.
    """
    rng = np.random.default_rng(seed)
    pictures = [(name, picture) for name in _PICTURES for picture in load_picture(name)]
    for _ in range(count):
        name, picture = pictures[rng.integers(len(pictures))]
        height, width = picture.shape[:2]
        across = float(rng.uniform(0.3, 1.0)) * min(width, height * _WIDTH / _HEIGHT)
        x = float(rng.uniform(0, width - across))
        y = float(rng.uniform(0, height - across * _HEIGHT / _WIDTH))
        gain, flipped = float(rng.uniform(0.5, 1.4)), bool(rng.integers(2))
        step = _STEP_PX * across / _WIDTH
        regions = [_cut(picture, x + step * number, y, across) for number in range(frames)]
        bright = [cv2.convertScaleAbs(region, alpha=gain) for region in regions]
        yield name, [np.ascontiguousarray(one[:, ::-1] if flipped else one) for one in bright]


def _cut(picture: Frame, x: float, y: float, width: float) -> Frame:
    """A region of a picture, 4:3, with its left, top and width in pixels, scaled to 640x480."""
    scale = _WIDTH / width
    matrix = np.array([[scale, 0, -x * scale], [0, scale, -y * scale]])
    flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    border = cv2.BORDER_REFLECT_101
    return cv2.warpAffine(picture, matrix, (_WIDTH, _HEIGHT), flags=flags, borderMode=border)


@cache
def load_picture(name: str) -> list[NDArray[np.uint8]]:
    """One bundled picture as BGR; both pictures of the stereo pair."""
    loaded = getattr(skimage.data, name)()
    pictures = loaded[:2] if isinstance(loaded, tuple) else (loaded,)
    return [
        np.ascontiguousarray(np.dstack([one] * 3) if one.ndim == 2 else one[..., 2::-1])
        for one in pictures
    ]


def run(
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
    count: Count = 200,
    seed: Seed = 0,
    seeds: Annotated[int, typer.Option(min=1, help="So many seeds, from --seed on; summed.")] = 1,
) -> list[Row]:
    """Count false faces and changed pixels in frames without people, first as unrelated pictures.

    Then a stream shows every view for nine frames while the camera moves; a view counts once.
    """
    rows: list[Row] = []
    alarms: dict[str, object] = {}
    tiles = []
    kinds: tuple[tuple[str, Mode], ...] = (("pictures", "image"), ("stream", "video"))
    for kind, mode in kinds:
        found_in, changed_in = [], []
        each = 1 if mode == "image" else _STREAM_FRAMES
        shown = chain.from_iterable(views(count, each, seed + more) for more in range(seeds))
        with Unmasker(model=model, engine=engine, mode=mode) as unmasker:
            for name, frames in track(shown, kind, total=count * seeds):
                results = [unmasker(frame) for frame in frames]
                if any(result.any_replaced for result in results):
                    changed_in.append(name)
                found = next((result for result in results if result.faces), None)
                if found is not None:
                    found_in.append(name)
                    tiles.append(_tile(found, f"{kind}: {name}"))
        rows.append(
            {
                "frames without people": kind,
                "frames": count * seeds,
                "a face found": len(found_in) / (count * seeds),
                "a pixel changed": len(changed_in) / (count * seeds),
            }
        )
        alarms[kind] = {"a face found in": found_in, "a pixel changed in": changed_in}
    if out is not None and tiles:
        write_pages(out / "sheet-empty-found.png", tiles, _COLUMNS, _PER_PAGE)
    return publish("empty", rows, out, alarms)


def _tile(result: UnmaskResult, label: str) -> NDArray[np.uint8]:
    """The result with the boxes of what was taken for a face: red where it was filled."""
    frame = result.frame.copy()
    for face in result.faces:
        x0, y0, x1, y1 = (round(value) for value in face.box)
        cv2.rectangle(frame, (x0, y0), (x1, y1), _RED if face.inpainted else _YELLOW, 2)
    return labelled(fit(frame, _TILE_PX)[: _TILE_PX * _HEIGHT // _WIDTH], label)
