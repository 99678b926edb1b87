"""False alarms: share of frames without people in which a face is found or a pixel changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray
from rich.progress import track

from benchmarks.photographs.tiles import fit, labelled, write_pages
from benchmarks.tables import Row, publish
from inpaint_model.errors import UserError
from realtime import Unmasker
from realtime.frames import UnmaskResult
from realtime.unmasker import Mode

# scikit-image's pictures that come inside its wheel and show neither people nor animals.
_PICTURES = (
    *("brick", "cell", "clock", "coffee", "grass", "gravel", "hubble_deep_field"),
    *("immunohistochemistry", "moon", "page", "retina", "rocket", "stereo_motorcycle", "text"),
)
_WIDTH, _HEIGHT = 640, 480
_STREAM_FRAMES, _STEP_PX = 3, 4  # frames of each view, and the camera's motion between them
_TILE_PX, _COLUMNS, _PER_PAGE = 320, 5, 30
_RED, _YELLOW = (0, 0, 255), (0, 255, 255)  # BGR


@dataclass(frozen=True)
class View:
    """A region of a picture, shown as frames of a camera.

    Attributes:
        name: the picture.
        picture: uint8 [H, W, 3], BGR.
        x, y, width: the region's left, top and width in the picture's pixels; it is 4:3.
        flipped: mirrored left to right.
        gain: brightness factor.
    """

    name: str
    picture: NDArray[np.uint8]
    x: float
    y: float
    width: float
    flipped: bool
    gain: float

    def frames(self, count: int) -> Iterator[NDArray[np.uint8]]:
        """Yield successive frames of a camera that moves slowly, uint8 [480, 640, 3] BGR."""
        for step in range(count):
            yield self._frame(step * _STEP_PX * self.width / _WIDTH)

    def _frame(self, shift: float) -> NDArray[np.uint8]:
        scale = _WIDTH / self.width
        matrix = np.array([[scale, 0, -(self.x + shift) * scale], [0, scale, -self.y * scale]])
        flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        size = (_WIDTH, _HEIGHT)
        cut = cv2.warpAffine(
            self.picture, matrix, size, flags=flags, borderMode=cv2.BORDER_REFLECT_101
        )
        bright = cv2.convertScaleAbs(cut, alpha=self.gain)
        return np.ascontiguousarray(bright[:, ::-1] if self.flipped else bright, dtype=np.uint8)


def views(count: int, seed: int = 0) -> Iterator[View]:
    """Draw views at random, the same for a seed: picture, place, scale, mirroring and brightness."""
    rng = np.random.default_rng(seed)
    pictures = [(name, picture) for name in _PICTURES for picture in _load(name)]
    for _ in range(count):
        name, picture = pictures[rng.integers(len(pictures))]
        height, width = picture.shape[:2]
        widest = min(width, height * _WIDTH / _HEIGHT)
        across = float(rng.uniform(0.3, 1.0)) * widest
        x = float(rng.uniform(0, width - across))
        y = float(rng.uniform(0, height - across * _HEIGHT / _WIDTH))
        gain = float(rng.uniform(0.5, 1.4))
        yield View(name, picture, x, y, across, bool(rng.integers(2)), gain)


def _load(name: str) -> list[NDArray[np.uint8]]:
    """One bundled picture as BGR; both pictures of the stereo pair."""
    loaded = getattr(skimage.data, name)()
    pictures = loaded[:2] if isinstance(loaded, tuple) else (loaded,)
    return [
        np.ascontiguousarray(np.dstack([one] * 3) if one.ndim == 2 else one[..., 2::-1])
        for one in pictures
    ]


def run(out: Path | None, model: str, engine: str, count: int = 200, seed: int = 0) -> list[Row]:
    """Count false faces and changed frames: first as unrelated pictures, then as a stream.

    The stream shows every view for three frames while the camera moves; a view counts once.

    Raises:
        UserError: `count` is below 1.
    """
    if count < 1:
        raise UserError("at least one frame is needed")
    rows: list[Row] = []
    alarms: dict[str, object] = {}
    tiles = []
    kinds: tuple[tuple[str, Mode], ...] = (("pictures", "image"), ("stream", "video"))
    for kind, mode in kinds:
        found_in, changed_in = [], []
        with Unmasker(model=model, engine=engine, mode=mode) as unmasker:
            for view in track(views(count, seed), kind, total=count):
                results = [
                    unmasker(frame)
                    for frame in view.frames(1 if mode == "image" else _STREAM_FRAMES)
                ]
                if any(result.replaced.any() for result in results):
                    changed_in.append(view.name)
                found = next((result for result in results if result.faces), None)
                if found is not None:
                    found_in.append(view.name)
                    tiles.append(_tile(found, f"{kind}: {view.name}"))
        rows.append(
            {
                "frames without people": kind,
                "frames": count,
                "a face found": len(found_in) / count,
                "a pixel changed": len(changed_in) / count,
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
