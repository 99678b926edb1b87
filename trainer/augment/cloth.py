"""Drapes cloth over a head: gaiters, scarves and bandanas as masks; what is worn under the chin; hoods."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from trainer.augment.canvas import Canvas, Map, Rng, polygon_cover, smooth_noise, smooth_outline
from trainer.augment.surfaces import random_surface

MOST_YAW = 0.65
"""Radians up to which a head may be turned for cloth to be draped over it."""

_WHITE_SHARE = 0.3  # of the cloth under the chin
_Corner = tuple[float, float, float]


@dataclass(frozen=True)
class Drape:
    """How cloth lies.

    Attributes:
        folds: height of the folds, cm.
        fold_cm: height and width of a fold, cm.
        round_cm: the edges are round over so many centimetres.
        sag: how far the folds hang down towards the middle.
        face: how much of the nose and the chin below it shows, 0..1.
    """

    folds: float
    fold_cm: tuple[float, float]
    round_cm: float
    sag: float = 0.0
    face: float = 0.0


def wear_drape(canvas: Canvas, rng: Rng, pictures: NDArray[np.uint8]) -> Canvas:
    """Wear a gaiter, a scarf or a bandana over nose and mouth that goes on below the chin: it is mask.

    Args:
        canvas: a bare face, its head turned by at most `MOST_YAW`.
        rng: random generator.
        pictures: uint8 [N, H, W, 3], RGB, of which parts are printed.
    """
    kind = str(rng.choice(["gaiter", "scarf", "bandana"]))
    cover = _outline(canvas, _DRAPES[kind](rng), rng, 0.25)
    drape = {
        "gaiter": Drape(rng.uniform(0.05, 0.35), (1.6, 9.0), 0.8, rng.uniform(0, 0.6), 1.0),
        "scarf": Drape(rng.uniform(0.3, 0.8), (2.2, 9.0), 1.8, rng.uniform(0, 0.5), 0.4),
        "bandana": Drape(rng.uniform(0.1, 0.5), (6.0, 2.5), 0.4, 0.0, 0.9),
    }[kind]
    colour = _shaded(canvas, cover, _surface(canvas, rng, pictures), drape, rng)
    return canvas.painted(colour, cover, float(rng.uniform(0.1, 0.4)), is_mask=True)


def hang_below(canvas: Canvas, base_rgb: tuple[float, float, float], rng: Rng) -> Canvas:
    """Let the cloth of a mask that is worn go on down over the neck, behind the mask: it is mask too.

    Args:
        canvas: a masked face, its head turned by at most `MOST_YAW`.
        base_rgb: albedo of the mask, 0..1.
        rng: random generator.
    """
    worn = cv2.GaussianBlur(canvas.alpha.astype(np.float32), (0, 0), 0.6)
    side, neck, low = rng.uniform(6.2, 7.6), rng.uniform(5.2, 9.0), rng.uniform(6.0, 12.0)
    corners = [(0, -5, 3), (side - 2, -4.6, 1), (side, rng.uniform(-6, -3), -2), (neck, -11, -3.5),
               (low, -18, -3), (low, -32, -1), (0, -33, 1)]  # fmt: skip
    outline = _outline(canvas, corners, rng, 0.2)
    cover = np.clip(outline - worn, 0, 1)
    albedo = np.broadcast_to(np.array(base_rgb, np.float32), canvas.crop.shape)
    drape = Drape(rng.uniform(0.1, 0.6), (rng.uniform(1, 3), 9.0), 1.0, rng.uniform(0, 0.6))
    colour = _shaded(canvas, cover, albedo, drape, rng) * rng.uniform(0.65, 1.1)
    below = canvas.painted(colour, cover, 0.2)
    return replace(below, alpha=canvas.alpha | (outline >= 0.5))


def wear_under_chin(canvas: Canvas, rng: Rng, pictures: NDArray[np.uint8]) -> Canvas:
    """Wear a scarf, a collar, a bib or a gaiter pulled down, all under the chin: no mask.

    Args:
        canvas: a bare face, its head turned by at most `MOST_YAW`.
        rng: random generator.
        pictures: uint8 [N, H, W, 3], RGB, of which parts are printed.
    """
    top, neck = rng.uniform(-12.5, -9.3), rng.uniform(4.6, 9.5)
    side = rng.uniform(-9.5, -5.0)
    low = rng.uniform(7, 22)
    corners = [(0, top, 1.5), (neck * 0.6, (top + side) / 2, 0), (neck, side, -3.5),
               (neck + rng.uniform(0, 2), side - 4, -4), (low, -19, -3.5), (low, -34, 0),
               (0, -34, 1)]  # fmt: skip
    jaw = cv2.convexHull(canvas.landmarks.astype(np.float32))[:, 0]
    cover = _outline(canvas, corners, rng, 0.3)
    cover = np.clip(cover - polygon_cover(jaw, canvas.shape), 0, 1)
    if rng.random() < _WHITE_SHARE:
        level = rng.uniform(0.75, 1.0)
        albedo = np.full(canvas.crop.shape, level, np.float32)
    else:
        albedo = _surface(canvas, rng, pictures)
    tall = (rng.uniform(1.2, 2.5), 9.0) if rng.random() < 0.6 else (9.0, rng.uniform(1.5, 3))
    drape = Drape(rng.uniform(0.05, 0.8), tall, rng.uniform(0.3, 2.2), rng.uniform(0, 0.7))
    colour = _shaded(canvas, cover, albedo, drape, rng)
    return canvas.painted(colour, cover, float(rng.uniform(0.05, 0.35)))


def wear_hood(canvas: Canvas, rng: Rng, pictures: NDArray[np.uint8]) -> Canvas:
    """Wear a headscarf or a hood, from whose opening the face looks: no mask.

    Args:
        canvas: the face, bare or masked, its head turned by at most `MOST_YAW`.
        rng: random generator.
        pictures: uint8 [N, H, W, 3], RGB, of which parts are printed.
    """
    wide, loose = rng.uniform(8.4, 12.5), rng.uniform(0, 1.2)
    outer = [(0, rng.uniform(13.5, 17), -3), (wide * 0.8, 12, -4), (wide, 4, -5), (wide, -6, -5),
             (wide + rng.uniform(0, 5), -16, -4), (22, -34, 0), (0, -34, 0)]  # fmt: skip
    low = rng.uniform(-11.2, -8.0)
    opening = [(0, rng.uniform(5.8, 8.5), 4.5), (3.8, 5.8, 3.4), (6.4 + loose, 2.5, 0.5),
               (6.7 + loose, -2.5, -0.5), (5.4 + loose, -7, 1), (2.4, low + 0.8, 3.5),
               (0, low, 4)]  # fmt: skip
    cover = _outline(canvas, outer, rng, 0.4) - _outline(canvas, opening, rng, 0.25)
    cover = np.clip(cover, 0, 1)
    drape = Drape(rng.uniform(0.1, 0.7), (9.0, rng.uniform(1.5, 4)), rng.uniform(0.6, 2))
    colour = _shaded(canvas, cover, _surface(canvas, rng, pictures), drape, rng)
    return canvas.painted(colour, cover, float(rng.uniform(0.1, 0.4)))


def _gaiter(rng: Rng) -> list[_Corner]:
    top, side, neck = rng.uniform(0.2, 2.4), rng.uniform(6.8, 7.8), rng.uniform(4.8, 7.4)
    return [(0, top, 7.2), (2.0, top - rng.uniform(0.2, 1.0), 6.2), (4.8, rng.uniform(-0.8, 1.2), 4.0),
            (side, rng.uniform(-1.0, 1.5), -1.5), (side, -5, -2.5), (neck, -10.5, -3.5),
            (neck + rng.uniform(-0.5, 1.5), -17, -3.5), (neck + 2.5, -33, -1), (0, -34, 1)]  # fmt: skip


def _scarf(rng: Rng) -> list[_Corner]:
    top, side, neck = rng.uniform(-2.2, 2.0), rng.uniform(7.0, 9.0), rng.uniform(8, 12)
    return [(0, top, 7.4), (2.6, top - rng.uniform(-0.4, 0.8), 6.0), (5.2, rng.uniform(-2.5, 0.5), 4.0),
            (side, rng.uniform(-3.0, 0.0), -1.5), (side + 1.2, -6, -3), (neck, -12, -4),
            (neck + 1, -19, -3), (neck, -33, -1), (0, -34, 1)]  # fmt: skip


def _bandana(rng: Rng) -> list[_Corner]:
    top, tip = rng.uniform(0.0, 2.2), rng.uniform(-24, -12.5)
    side = rng.uniform(-4.5, -1.0)
    return [(0, top, 7.2), (2.4, top - 0.6, 6.2), (5.0, rng.uniform(-0.5, 1.0), 4.0),
            (7.5, rng.uniform(-0.5, 1.2), -1.5), (7.4, side, -2), (4.8, (side + tip) / 2, 1.5),
            (1.4, tip + 1.0, 3.5), (0, tip, 3.8)]  # fmt: skip


_DRAPES = {"gaiter": _gaiter, "scarf": _scarf, "bandana": _bandana}


def _outline(canvas: Canvas, right: list[_Corner], rng: Rng, uneven_cm: float) -> Map:
    """Cover of an outline and its mirror image on the head, moved unevenly; float32 [S, S]."""
    half = np.array(right)
    corners = np.vstack([half, half[half[:, 0] > 0][::-1] * (-1, 1, 1)])
    corners += rng.normal(0, uneven_cm, corners.shape) * (1, 1, 0)
    return polygon_cover(canvas.pose.project(smooth_outline(corners, 160)), canvas.shape)


def _surface(canvas: Canvas, rng: Rng, pictures: NDArray[np.uint8]) -> Map:
    """Cloth in the crop's pixels, plain or printed, its print turned a little."""
    flat = random_surface(rng, canvas.shape, pictures, plain=0.3)
    size = canvas.shape[0]
    turn = cv2.getRotationMatrix2D((size / 2, size / 2), float(rng.normal(0, 15)), 1.0)
    return np.asarray(
        cv2.warpAffine(flat, turn, (size, size), borderMode=cv2.BORDER_REFLECT), np.float32
    )


def _shaded(canvas: Canvas, cover: Map, albedo: Map, drape: Drape, rng: Rng) -> Map:
    """Shade cloth: round edges, folds that hang, nose and chin below it, darkness under the chin."""
    scale, shape = canvas.pose.scale, canvas.shape
    rows, columns = np.indices(shape, np.float32)
    depth = cv2.distanceTransform((cover > 0.5).astype(np.uint8), cv2.DIST_L2, 3) / scale
    height = 0.5 * drape.round_cm * np.sin(np.clip(depth / drape.round_cm, 0, 1) * np.pi / 2)
    folds = smooth_noise(rng, shape, (drape.fold_cm[0] * scale, drape.fold_cm[1] * scale))
    fine = smooth_noise(
        rng, shape, (drape.fold_cm[0] * scale / 2.2, drape.fold_cm[1] * scale / 2.2)
    )
    chin = canvas.at(0, -9.4, 4)
    x = (columns - np.float32(chin[0])) / np.float32(9 * scale)
    hang = rows + np.float32(drape.sag * 8 * scale) * x**2
    folds = cv2.remap(folds + 0.4 * np.abs(fine), columns, hang, cv2.INTER_LINEAR,
                      borderMode=cv2.BORDER_REFLECT)  # fmt: skip
    below = 1 / (1 + np.exp(-(rows - np.float32(chin[1])) / np.float32(0.8 * scale)))
    height = height + drape.folds * folds * (1 - 0.75 * drape.face * (1 - below))
    for place, wide, high in (((0, -1.2, 8), 1.5, 1.3), ((0, -8.2, 6), 2.2, 0.9)):
        at = canvas.at(*place)
        near = ((columns - at[0]) ** 2 + (rows - at[1]) ** 2) / (wide * scale) ** 2
        height = height + drape.face * high * np.exp(-near)
    height = cv2.GaussianBlur((height * scale).astype(np.float32), (0, 0), 0.15 * scale)
    down, right = np.gradient(height)
    length = np.sqrt(1 + down**2 + right**2)
    light = canvas.light.direction
    lit = 1 + (-right * light[0] + down * light[1] + (1 - length) * light[2]) / length
    neck = np.exp(-(((rows - chin[1] - 1.6 * scale) / (1.8 * scale)) ** 2))
    lit = np.clip(lit, 0.35, 1.5) * (1 - rng.uniform(0.1, 0.45) * neck * bool(drape.face))
    lit += rng.uniform(0, 0.03) * rng.standard_normal(shape)
    return canvas.levels(albedo) * lit[..., None].astype(np.float32)
