"""Puts things before a face: drawn flat on a sheet, then held at any place, angle and perspective."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from trainer.augment.canvas import Canvas, Rng
from trainer.augment.flat_things import draw_book, draw_food, draw_phone, draw_sheet
from trainer.augment.hands import hold
from trainer.augment.sheet import SHEET_PX_PER_CM, Sheet
from trainer.augment.turned_things import draw_bottle, draw_cup, draw_microphone

Draw = Callable[[Rng, NDArray[np.uint8]], Sheet]

# What is held, and the shares.
_THINGS: tuple[tuple[Draw, float], ...] = (
    (draw_phone, 0.34),
    (draw_cup, 0.24),
    (draw_bottle, 0.10),
    (draw_microphone, 0.14),
    (draw_food, 0.08),
    (draw_book, 0.05),
    (draw_sheet, 0.05),
)
_HELD_SHARE = 0.65  # of the things are held by fingers that show
_ASIDE_SHARE = 0.2  # of the things are anywhere over the lower face and beside it


def add_thing(canvas: Canvas, rng: Rng, pictures: NDArray[np.uint8]) -> Canvas:
    """Hold a thing before the lower face.

    Args:
        canvas: the face, bare or masked.
        rng: random generator.
        pictures: uint8 [N, H, W, 3], RGB, of which parts are printed on things.
    """
    draws, shares = zip(*_THINGS, strict=True)
    draw = draws[int(rng.choice(len(draws), p=shares))]
    sheet = draw(rng, pictures)
    if rng.random() < _ASIDE_SHARE:
        place = canvas.at(rng.normal(0, 5), rng.uniform(-12, 0), 7)
    else:
        place = canvas.at(rng.normal(0, 1.3), -4 + rng.normal(0, 1.5), 7)
    return place_sheet(canvas, sheet, place, rng)


def place_sheet(canvas: Canvas, sheet: Sheet, place: NDArray[np.float64], rng: Rng) -> Canvas:
    """Show a sheet with its anchor at a place, tilted and in perspective; fingers may hold it."""
    size = canvas.pose.scale / SHEET_PX_PER_CM * float(np.exp(rng.normal(0.18, 0.18)))
    height, width = sheet.cover.shape
    tilt = np.deg2rad(rng.normal(0, sheet.tilt_deg))
    turn = size * np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]])
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64)
    squeeze = 1 + rng.normal(0, 0.07, 2) - np.abs(rng.normal(0, 0.06, 2))
    local = (corners - sheet.anchor) * squeeze
    target = place + local @ turn.T
    target += rng.normal(0, 0.025, (4, 2)) * size * min(width, height)
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), target.astype(np.float32))
    side = canvas.shape[::-1]
    colour = cv2.warpPerspective(sheet.albedo, matrix, side, borderMode=cv2.BORDER_REPLICATE)
    cover = cv2.warpPerspective(sheet.cover, matrix, side)
    painted = canvas.levels(np.clip(colour, 0.01, 1.1)) * float(np.exp(rng.normal(0, 0.2)))
    canvas = canvas.painted(painted, cover, float(rng.uniform(0.1, 0.45)))
    if rng.random() < _HELD_SHARE and sheet.held:
        grip = sheet.grip
        ends = np.array(
            [(grip[0], 0), (grip[1], 0), (grip[1], height), (grip[0], height)], np.float32
        )
        seen = cv2.perspectiveTransform(ends[None], matrix)[0].astype(np.float64)
        canvas = hold(canvas, seen, rng)
    return canvas
