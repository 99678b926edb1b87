"""Mask templates: RGBA drawings with six key points, warped to rectangular textures."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from inpaint_model.errors import UserError

_KEYS = "abcdef"
_TEXTURE_SIZE = (256, 208)  # width and height, texels

# Kind and key points of the MaskTheFace drawings by file stem: a, b, c are the left, middle and right
# of the top edge, d, e, f those of the bottom edge, in pixels.
_KNOWN: dict[str, tuple[str, tuple[tuple[int, int], ...]]] = {
    "surgical_blue": (
        "surgical",
        ((21, 97), (307, 22), (600, 99), (25, 322), (295, 470), (600, 323)),
    ),
    "surgical_green": (
        "surgical",
        ((21, 97), (307, 22), (600, 99), (25, 322), (295, 470), (600, 323)),
    ),
    "cloth": ("cloth", ((122, 90), (405, 7), (686, 79), (165, 323), (406, 509), (653, 311))),
    "N95": ("n95", ((15, 119), (327, 5), (640, 93), (13, 285), (351, 518), (645, 285))),
}


@dataclass(frozen=True, eq=False)
class Template:
    """One drawing as a texture.

    Attributes:
        name: the file's stem.
        fit: the kind of mask whose fit it takes.
        texture_rgb: uint8 [208, 256, 3], the drawing warped so that its outline becomes the border.
    """

    name: str
    fit: Literal["surgical", "cloth", "n95", "kn95"]
    texture_rgb: NDArray[np.uint8]


def load_templates(folder: Path | str) -> list[Template]:
    """Load every `*.png` of a folder, sorted by name.

    Key points come from a JSON file beside the picture, `{"fit": "surgical", "a": [x, y], ... "f":
    [x, y]}`, or from the built-in table of the four MaskTheFace drawings. (MaskTheFace, Anwar and
    Raychowdhury 2020, https://github.com/aqeelanwar/MaskTheFace.)

    Args:
        folder: pictures with an alpha channel.

    Raises:
        UserError: the folder is missing, a picture has no alpha channel, or key points are missing.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"no folder of mask drawings at {folder}")
    return [_load(path) for path in sorted(folder.glob("*.png"))]


def _load(path: Path) -> Template:
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if picture is None or picture.ndim != 3 or picture.shape[2] != 4:
        raise UserError(f"{path} is not a picture with an alpha channel")
    fit, keys = _key_points(path)
    outline = _outline(picture[:, :, 3], path)
    top, right, bottom, left = _edges(outline, keys)
    grid = _coons_patch(top, right, bottom, left).astype(np.float32)
    colour = _extend_colour(picture)
    texture = cv2.remap(colour, grid, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return Template(path.stem, fit, np.ascontiguousarray(texture[:, :, ::-1]))  # type: ignore[arg-type]


def _key_points(path: Path) -> tuple[str, NDArray[np.float64]]:
    beside = path.with_suffix(".json")
    if beside.is_file():
        try:
            data = json.loads(beside.read_text(encoding="utf-8"))
            keys = np.array([data[key] for key in _KEYS], dtype=np.float64).reshape(6, 2)
        except (KeyError, ValueError, TypeError) as error:
            raise UserError(f"{beside} must hold points a..f as [x, y]: {error}") from error
        fit = data.get("fit", "surgical")
        if fit not in ("surgical", "cloth", "n95", "kn95"):
            raise UserError(f"{beside}: fit must be surgical, cloth, n95 or kn95, not {fit!r}")
        return fit, keys
    if path.stem in _KNOWN:
        fit, points = _KNOWN[path.stem]
        return fit, np.array(points, dtype=np.float64)
    raise UserError(f"{path.name} needs its six key points in {beside.name}")


def _outline(alpha: NDArray[np.uint8], path: Path) -> NDArray[np.float64]:
    """The contour [N, 2] of the largest opaque region, clockwise on the screen."""
    solid = cv2.morphologyEx(
        (alpha > 127).astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)
    )
    contours, _ = cv2.findContours(solid, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        raise UserError(f"{path} is transparent everywhere")
    outline = max(contours, key=cv2.contourArea)[:, 0, :].astype(np.float64)
    x, y = outline[:, 0], outline[:, 1]
    clockwise = np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) > 0
    return outline if clockwise else outline[::-1]


def _edges(outline: NDArray[np.float64], keys: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Cut the outline at its corners into top, right, bottom and left, each from its left or top end."""
    at = [int(np.argmin(((outline - key) ** 2).sum(1))) for key in keys]
    a, b, c, d, e, f = at
    width, height = _TEXTURE_SIZE
    half = width // 2
    top = np.vstack(
        [_resample(outline, a, b, half + 1)[:-1], _resample(outline, b, c, width - half)]
    )
    back = np.vstack(
        [_resample(outline, f, e, half + 1)[:-1], _resample(outline, e, d, width - half)]
    )
    right = _resample(outline, c, f, height)
    left = _resample(outline, d, a, height)[::-1]
    return [top, right, back[::-1], left]


def _resample(
    outline: NDArray[np.float64], start: int, end: int, count: int
) -> NDArray[np.float64]:
    """Resample the outline from one index to another, evenly, to `count` points."""
    end = end if end > start else end + len(outline)
    at = np.linspace(start, end, count)
    index = np.arange(start, end + 1)
    piece = outline[index % len(outline)]
    return np.column_stack([np.interp(at, index, piece[:, k]) for k in (0, 1)])


def _coons_patch(
    top: NDArray[np.float64],
    right: NDArray[np.float64],
    bottom: NDArray[np.float64],
    left: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Interpolate four edge curves to a grid [height, width, 2] of picture positions (Coons patch)."""
    u = np.linspace(0, 1, len(top))[None, :, None]
    v = np.linspace(0, 1, len(left))[:, None, None]
    ruled_v = (1 - v) * top[None] + v * bottom[None]
    ruled_u = (1 - u) * left[:, None] + u * right[:, None]
    corners = (1 - v) * ((1 - u) * top[0] + u * top[-1]) + v * (
        (1 - u) * bottom[0] + u * bottom[-1]
    )
    return ruled_v + ruled_u - corners


def _extend_colour(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Extend the drawing's colour over its transparent part, so that no background bleeds into the rim."""
    solid = cv2.erode((picture[:, :, 3] > 200).astype(np.uint8), np.ones((3, 3), np.uint8))
    weight = solid.astype(np.float32)[:, :, None]
    colour = picture[:, :, :3].astype(np.float32) * weight
    spread = cv2.GaussianBlur(colour, (0, 0), 9) / np.maximum(
        cv2.GaussianBlur(weight, (0, 0), 9)[:, :, None], 1e-4
    )
    return np.clip(colour + spread * (1 - weight), 0, 255).astype(np.uint8)
