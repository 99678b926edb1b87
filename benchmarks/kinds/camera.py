"""Kinds of pictures: cut by the picture's edge, small, in other light, noisy, blurred, compressed."""

from __future__ import annotations

import cv2
import numpy as np

from benchmarks.kinds.scene import Picture, Rng, Scene

_TINTS = ((1.0, 0.25, 0.85), (0.25, 1.0, 0.4), (0.25, 0.4, 1.0), (1.0, 0.25, 0.25))  # RGB


def cut_chin(scene: Scene, rng: Rng) -> Scene:
    """The picture's lower edge cuts the face between mouth and chin."""
    return _close(scene, rng, bottom=float(rng.uniform(0.72, 0.9)))


def cut_forehead(scene: Scene, rng: Rng) -> Scene:
    """The picture's upper edge cuts the face between hair and brows."""
    return _close(scene, rng, top=float(rng.uniform(0.08, 0.2)))


def cut_side(scene: Scene, rng: Rng) -> Scene:
    """A side of the picture cuts a cheek off, up to the outer corner of the eye."""
    share = float(rng.uniform(0.08, 0.2))
    return (
        _close(scene, rng, left=share)
        if rng.random() < 0.5
        else _close(scene, rng, right=1 - share)
    )


def fills_picture(scene: Scene, rng: Rng) -> Scene:
    """The face fills the picture from edge to edge."""
    return _close(scene, rng)


def _close(
    scene: Scene,
    rng: Rng,
    left: float | None = None,
    top: float | None = None,
    right: float | None = None,
    bottom: float | None = None,
) -> Scene:
    """Cut the picture close round the face; edges that are not given leave 2 to 12 % of the face's size.

    Args:
        scene: masked.
        rng: of the edges that are not given.
        left, top, right, bottom: where an edge cuts the face's box, 0..1 from its left or top.
    """
    room = rng.uniform(0.02, 0.12, 4)
    edges = [left, top, right, bottom]
    free = (-room[0], -room[1], 1 + room[2], 1 + room[3])
    x0, y0, x1, y1 = (
        value if edge is None else edge for edge, value in zip(edges, free, strict=True)
    )
    low, size = scene.face[0], scene.face[1] - scene.face[0]
    (x0, y0), (x1, y1) = low + size * (x0, y0), low + size * (x1, y1)
    return scene.cut(x0, y0, x1, y1)


def small(scene: Scene, rng: Rng) -> Scene:
    """The whole picture is scaled down until the face is 24 to 40 px wide."""
    scale = float(rng.uniform(24, 40)) / scene.width_px
    height, width = scene.mask.shape
    size = round(width * scale), round(height * scale)

    def shrunk(array: np.ndarray) -> np.ndarray:
        return cv2.resize(array, size, interpolation=cv2.INTER_AREA)

    ratio = np.array(size) / (width, height)
    mask, ignored = (
        shrunk(flags.astype(np.float32)) >= 0.5 for flags in (scene.mask, scene.ignored)
    )
    rgb, truth_rgb = shrunk(scene.rgb), shrunk(scene.truth_rgb)
    return Scene(rgb, truth_rgb, mask, ignored, scene.eyes * ratio, scene.face * ratio)


def coloured_light(scene: Scene, rng: Rng) -> Scene:
    """Magenta, green, blue or red stage light."""
    tint = np.array(_TINTS[int(rng.integers(len(_TINTS)))]) ** float(rng.uniform(0.5, 1.0))

    def lit(rgb: Picture) -> Picture:
        luma = rgb @ np.array([0.299, 0.587, 0.114])
        return _levels((0.4 * rgb + 0.6 * luma[..., None]) * tint)

    return scene.changed(lit)


def grain(scene: Scene, rng: Rng) -> Scene:
    """Noise of 10 to 20 levels, slightly soft; the truth has the same noise."""
    noise = _noise(scene, rng, float(rng.uniform(10, 20)))
    return scene.changed(lambda rgb: _levels(rgb + noise))


def motion_blur(scene: Scene, rng: Rng) -> Scene:
    """The picture is smeared over 9 to 15 % of the face's width."""
    length = scene.width_px * float(rng.uniform(0.09, 0.15))
    side = 2 * int(np.ceil(length / 2)) + 1
    angle = float(rng.uniform(0, np.pi))
    kernel = np.zeros((side, side), np.uint8)
    along = length / 2 * np.array([np.cos(angle), np.sin(angle)])
    ends = np.round((side // 2 + np.array([-along, along])) * 16).astype(int)
    cv2.line(kernel, tuple(ends[0]), tuple(ends[1]), (255,), 1, cv2.LINE_AA, 4)
    weights = kernel.astype(np.float32) / kernel.sum()
    return scene.changed(lambda rgb: np.asarray(cv2.filter2D(rgb, -1, weights), np.uint8))


def phone_compression(scene: Scene, rng: Rng) -> Scene:
    """Sent by a messenger: half the size, JPEG of quality 20 to 30, and scaled up again."""
    quality = int(rng.integers(20, 31))

    def sent(rgb: Picture) -> Picture:
        size = rgb.shape[1] // 2, rgb.shape[0] // 2
        half = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
        _, data = cv2.imencode(".jpg", half[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        read = np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[:, :, ::-1])
        return np.asarray(
            cv2.resize(read, rgb.shape[1::-1], interpolation=cv2.INTER_LINEAR), np.uint8
        )

    return scene.changed(sent)


def dark(scene: Scene, rng: Rng) -> Scene:
    """An eighth to a quarter of the light, with a sensor's noise of 4 levels."""
    gain, noise = float(rng.uniform(0.125, 0.25)), _noise(scene, rng, 4.0)
    return scene.changed(lambda rgb: _levels(rgb * gain + noise))


def against_light(scene: Scene, rng: Rng) -> Scene:
    """A bright window or lamp behind the head: the face lies in shadow, and glare veils it."""
    gain, haze = float(rng.uniform(0.25, 0.4)), float(rng.uniform(12, 30))
    height, width = scene.mask.shape
    rows, columns = np.indices(scene.mask.shape, dtype=np.float32)
    at = rng.uniform(-0.1, 0.25) * height, rng.choice([0.05, 0.95]) * width
    distance = np.hypot(rows - at[0], columns - at[1]) / (0.45 * width)
    glare = (300 * np.exp(-(distance**2)))[..., None]
    return scene.changed(lambda rgb: _levels(rgb * gain + haze + glare))


def _noise(scene: Scene, rng: Rng, sigma: float) -> np.ndarray:
    """Noise of a standard deviation in levels, float32 [H, W, 3]; half of it is common to the colours."""
    shape = scene.mask.shape
    colour, luma = rng.standard_normal((*shape, 3)), rng.standard_normal((*shape, 1))
    noise = cv2.GaussianBlur((colour + luma).astype(np.float32), (0, 0), 0.6)
    return noise * np.float32(sigma / noise.std())


def _levels(values: np.ndarray) -> Picture:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
