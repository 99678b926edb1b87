"""Draws hands before a face: fingers over the mouth, fists, and fingers that hold a thing."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from trainer.augment.canvas import Canvas, Map, Rng, smooth_noise
from trainer.augment.drawing import FIXED_POINT_BITS, bezier, fixed_point

# Nested strokes of a round finger: share of its thickness, and brightness.
_ROUND = (1.0, 0.66), (0.86, 0.8), (0.66, 0.92), (0.42, 1.0)
_NAIL_SHARE = 0.35  # of the hands whose fingertips are seen from outside
_GLOVE_SHARE = 0.08  # of the hands
_FINGER_CM = 1.45, 2.0  # thickness


def add_hand(canvas: Canvas, rng: Rng) -> Canvas:
    """Put a hand or two before the lower face: over the mouth, at the chin, or a finger at the lips."""
    kind = rng.choice(["over", "over", "fist", "chin", "finger", "both"])
    side = float(rng.choice([-1, 1]))
    x, y = rng.normal(0, 1.2), -4.0 + rng.normal(0, 1.5)
    if kind == "finger":
        from_, towards, count = (x, y), rng.uniform(-1.9, -1.2), 1
    elif kind == "chin":
        from_, towards, count = (x, y - 4), rng.uniform(-2.3, -0.8), int(rng.integers(2, 5))
    elif kind == "fist":
        from_, towards, count = (x, y), rng.uniform(-2.2, -0.9), 4
    else:
        from_, towards, count = (x - 3 * side, y + 2), rng.normal(-0.35, 0.35), 4
        towards = towards if side > 0 else -np.pi - towards
    length = rng.uniform(2.0, 3.0) if kind == "fist" else rng.uniform(5.5, 8.5)
    colour = _hand_colour(canvas, rng)
    canvas = _draw_hand(canvas, rng, from_, towards, count, length, colour)
    if kind == "both":
        other = -np.pi - towards + rng.normal(0, 0.2)
        start = (3 * side - x, y + 2 + rng.normal(0, 1.5))
        canvas = _draw_hand(canvas, rng, start, other, 4, length, colour)
    return canvas


def hold(canvas: Canvas, corners: NDArray[np.float64], rng: Rng) -> Canvas:
    """Draw fingers round a thing that is held.

    Args:
        canvas: the face with the thing.
        corners: of the thing, float64 [4, 2], pixels: upper left, upper right, lower right, lower left.
        rng: random generator.
    """
    colour, thick = _hand_colour(canvas, rng), rng.uniform(*_FINGER_CM) * canvas.pose.scale
    down = float(rng.uniform(0.3, 0.85))
    left, right = (corners[a] + down * (corners[b] - corners[a]) for a, b in ((0, 3), (1, 2)))
    if rng.random() < 0.5:
        left, right = right, left
    across = (right - left) / max(float(np.hypot(*(right - left))), 1e-3)
    along = np.array([-across[1], across[0]])
    along *= np.sign(along[1]) or 1.0
    reach = min(rng.uniform(1.5, 4.5) * canvas.pose.scale, 0.7 * float(np.hypot(*(right - left))))
    lines = []
    for finger in range(int(rng.integers(2, 5))):
        base = left + along * (finger - 1) * thick * 1.03
        tip = base + across * (reach + rng.normal(0, 0.2) * thick) + along * rng.normal(0, 2)
        lines.append(np.stack([base - across * thick * 1.6, base + along * 1.5, tip]))
    if rng.random() < 0.7:
        thumb = right + along * rng.normal(0, 1) * thick
        lines.append(np.stack([thumb + (across + 2 * along) * thick, thumb + across * 0.4 * thick,
                               thumb - across * 0.5 * reach]))  # fmt: skip
    palm = [left - across * thick * 1.4 + along * thick * at for at in (-1.2, 0.5, 3.0)]
    return _paint_strokes(canvas, rng, [np.array(palm)], 2.4 * thick, lines, thick, colour)


def _hand_colour(canvas: Canvas, rng: Rng) -> Map:
    if rng.random() < _GLOVE_SHARE:
        gloves = ((0.9, 0.92, 0.95), (0.35, 0.55, 0.85), (0.12, 0.12, 0.13), (0.45, 0.3, 0.2))
        return canvas.levels(gloves[int(rng.integers(len(gloves)))])
    return canvas.skin(rng)


def _draw_hand(
    canvas: Canvas,
    rng: Rng,
    knuckle_cm: tuple[float, float],
    towards: float,
    count: int,
    length_cm: float,
    colour: Map,
) -> Canvas:
    """Draw fingers from the knuckles on, and the back of the hand the other way to the edge.

    Args:
        canvas: the face.
        rng: random generator.
        knuckle_cm: place of the knuckles on the face, x and y in cm of the canonical head.
        towards: direction of the fingers in the picture, radians, 0 to the right, -pi / 2 up.
        count: of the fingers.
        length_cm: of the fingers.
        colour: level of the skin.
    """
    scale = canvas.pose.scale
    thick, start = rng.uniform(*_FINGER_CM) * scale, canvas.at(*knuckle_cm, 7.0)
    along = np.array([np.cos(towards), np.sin(towards)])
    across = np.array([-along[1], along[0]])
    lines = []
    for finger in range(count):
        offset = finger - (count - 1) / 2
        spread = along + across * (0.06 * offset + rng.normal(0, 0.04))
        base = start + across * offset * thick * 1.02 - along * 0.25 * thick * offset**2 / 2
        share = (0.88, 1.0, 0.97, 0.78)[finger] if count == 4 else 1.0
        tip = base + spread * length_cm * share * scale
        middle = (base + tip) / 2 + across * rng.normal(0, 0.12) * thick
        lines.append(np.stack([base, middle, tip]))
    width = max(count, 2.6) * thick
    wrist = start - along * rng.uniform(15, 28) * scale
    wrist += across * rng.normal(0, 2.5) * scale
    back = start - along * 0.5 * thick
    palm = bezier(back, (back + wrist) / 2 + across * rng.normal(0, 1.5) * scale, wrist, 8)
    return _paint_strokes(canvas, rng, [palm], 0.92 * width, lines, thick, colour)


def _paint_strokes(
    canvas: Canvas,
    rng: Rng,
    palms: list[NDArray],
    palm_px: float,
    fingers: list[NDArray],
    finger_px: float,
    colour: Map,
) -> Canvas:
    """Paint round strokes one over the other, with darker edges between them, knuckles and nails."""
    cover, shade = np.zeros(canvas.shape, np.uint8), np.full(canvas.shape, 170, np.uint8)
    for lines, width, flat in ((palms, palm_px, 0.5), (fingers, finger_px, 1.0)):
        for line in lines:
            curve = bezier(line[0], line[1], line[2], 10) if len(line) == 3 else line
            _stroke(cover, curve, width, 255)
            for share, bright in _ROUND:
                _stroke(shade, curve, share * width, round(220 * (1 - flat * (1 - bright))))
            for joint in curve[[4, 7]] if lines is fingers else ():
                at = int(joint[0]), int(joint[1])
                cv2.circle(shade, at, max(1, round(width / 5)), (185,), 1)
    soft = cv2.GaussianBlur(shade, (0, 0), 0.09 * finger_px).astype(np.float32) / np.float32(220)
    slope = cv2.GaussianBlur(cover, (0, 0), 0.3 * finger_px).astype(np.float32)
    aside = np.float32(np.clip(canvas.light.direction[0], -0.5, 0.5) / 60)
    soft += np.clip(-aside * np.gradient(slope, axis=1), -0.2, 0.2)
    for strength, cell in ((0.04, 6), (0.02, 2)):
        soft *= 1 + np.float32(strength) * smooth_noise(rng, canvas.shape, (cell, cell))
    painted = colour * soft[..., None]
    if rng.random() < _NAIL_SHARE:
        painted = _with_nails(painted, fingers, finger_px, colour, rng)
    weight = cover.astype(np.float32) / np.float32(255)
    return canvas.painted(painted, weight, float(rng.uniform(0.15, 0.45)))


def _with_nails(
    painted: Map, fingers: list[NDArray], finger_px: float, colour: Map, rng: Rng
) -> Map:
    """Paint nails on the fingertips, bare or varnished."""
    nails = np.zeros(painted.shape[:2], np.uint8)
    for line in fingers:
        back = line[-2] - line[-1]
        back = back / max(float(np.hypot(*back)), 1e-3)
        angle = float(np.degrees(np.arctan2(back[1], back[0])))
        x, y = line[-1] + back * 0.05 * finger_px
        box = ((float(x), float(y)), (0.62 * finger_px, 0.5 * finger_px), angle)
        cv2.ellipse(nails, box, 255, -1, cv2.LINE_AA)
    varnished = rng.random() < 0.3
    tint = rng.uniform(60, 200, 3) if varnished else np.minimum(colour * 1.15, 250)
    weight = nails.astype(np.float32)[..., None] * np.float32(0.7 / 255)
    return np.asarray(painted + weight * (tint - painted), np.float32)


def _stroke(image: NDArray[np.uint8], points: NDArray, width_px: float, value: int) -> None:
    """Draw a polyline with round ends."""
    width = max(1, round(width_px))
    cv2.polylines(
        image, [fixed_point(points)], False, (value,), width, cv2.LINE_AA, FIXED_POINT_BITS
    )
