"""Draws round things that people hold: cups, glasses, bottles, cans, microphones."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.synthetic.palette import random_colour
from trainer.augment.canvas import Map, Rng, smooth_noise
from trainer.augment.sheet import Sheet, px, turned_solid
from trainer.augment.surfaces import random_surface

_FOAM_SHARE = 0.3  # of the microphones have a foam ball


def _profile(heights_cm: list[float], radii_cm: list[float]) -> NDArray[np.float64]:
    """Radius at each pixel of height, pixels, from a polyline in cm from the top."""
    rows = np.arange(px(heights_cm[-1]))
    return np.interp(rows, [px(at) for at in heights_cm], [8.0 * one for one in radii_cm])


def draw_cup(rng: Rng, pictures: NDArray[np.uint8]) -> Sheet:
    """Draw a mug with a handle, a paper cup with a lid or a sleeve, or a glass."""
    height = rng.uniform(7, 13)
    top, bottom = rng.uniform(3.4, 4.8), rng.uniform(2.4, 4.4)
    lid = rng.random() < 0.35
    heights, radii = [0.0, height], [top, min(bottom, top * 1.05)]
    if lid:
        heights, radii = (
            [0.0, 0.9, 1.0, *heights[1:]],
            [top * 0.9, top * 0.95, top * 1.06, radii[1]],
        )
    profile = _profile(heights, radii)
    wrapped = random_surface(rng, (len(profile), px(2.5 * top)), pictures, plain=0.1)
    if lid:
        wrapped[: px(1.1)] = np.array(random_colour(rng), np.float32)
    if rng.random() < 0.25:
        band = slice(int(0.4 * len(profile)), int(rng.uniform(0.6, 0.85) * len(profile)))
        wrapped[band] = np.array((0.6, 0.45, 0.3), np.float32) * rng.uniform(0.7, 1.2)
    seen_from = float(rng.uniform(-0.15, 0.4))
    albedo, cover = turned_solid(profile, wrapped, rng, seen_from, rng.uniform(0, 0.5))
    bow = abs(seen_from) * top * 8
    if seen_from > 0.05 and not lid:
        _add_opening(albedo, cover, top * 8, bow, rng)
    if not lid and rng.random() < 0.5:
        albedo, cover = _with_handle(albedo, cover, wrapped, rng)
    width = cover.shape[1]
    anchor = width * rng.uniform(0.35, 0.65), bow + len(profile) * rng.uniform(0.0, 0.5)
    return Sheet(albedo, cover, anchor, 12, (0, width))


def _add_opening(albedo: Map, cover: Map, radius: float, bow: float, rng: Rng) -> None:
    """Show the inside of a cup that is seen from above: a darker ellipse with a rim."""
    middle = cover.shape[1] / 2, bow + 1
    inside = np.full(3, rng.uniform(0.1, 0.8)) * np.array(random_colour(rng)) ** 0.3
    for grow, colour in ((1.0, albedo.mean((0, 1)) * 1.15), (0.92, inside)):
        box = (middle, (2 * grow * radius, 2 * grow * bow), 0.0)
        cv2.ellipse(albedo, box, tuple(map(float, colour)), -1, cv2.LINE_AA)
    box = (middle, (2 * radius, 2 * bow), 0.0)
    cv2.ellipse(cover, box, (1.0,), -1, cv2.LINE_AA)


def _with_handle(albedo: Map, cover: Map, wrapped: Map, rng: Rng) -> tuple[Map, Map]:
    """Put a ring at one side of a mug."""
    side, room = int(rng.integers(2)), px(rng.uniform(2.2, 3.4))
    wide = ((0, 0), (0, room)) if side else ((0, 0), (room, 0))
    albedo, cover = np.pad(albedo, (*wide, (0, 0)), mode="edge"), np.pad(cover, wide)
    height, width = cover.shape
    middle = (float(width - room if side else room), height * rng.uniform(0.4, 0.6))
    ring = np.zeros_like(cover)
    axes = (2 * (room - px(0.5)), height * rng.uniform(0.4, 0.6))
    cv2.ellipse(ring, (middle, axes, 0.0), (1.0,), px(rng.uniform(0.7, 1.3)), cv2.LINE_AA)
    ring *= 1 - cover
    colour = wrapped.mean((0, 1)) * rng.uniform(0.6, 1.0)
    relief = cv2.GaussianBlur(ring, (0, 0), px(0.2))
    albedo = albedo + ring[..., None] * (colour * (0.5 + 0.6 * relief[..., None]) - albedo)
    return albedo.astype(np.float32), np.maximum(cover, ring)


def draw_bottle(rng: Rng, pictures: NDArray[np.uint8]) -> Sheet:
    """Draw a bottle or a can that is drunk from: its neck at the mouth, or its body before the face."""
    radius, neck = rng.uniform(2.4, 4.2), rng.uniform(0.9, 1.6)
    if rng.random() < 0.3:
        profile = _profile([0, 0.6, 12, 12.5], [radius * 0.85, radius, radius, radius * 0.85])
    else:
        shoulder = rng.uniform(3, 8)
        profile = _profile([0, 1, shoulder, shoulder + 3, 22], [neck, neck, neck, radius, radius])
    wrapped = random_surface(rng, (len(profile), px(2.5 * radius)), pictures, plain=0.5)
    label = slice(int(0.45 * len(profile)), int(rng.uniform(0.6, 0.9) * len(profile)))
    wrapped[label] = random_surface(rng, wrapped[label].shape[:2], pictures)
    albedo, cover = turned_solid(
        profile, wrapped, rng, rng.uniform(-0.3, 0.3), rng.uniform(0.1, 0.8)
    )
    if rng.random() < 0.4:
        albedo, cover = albedo[::-1].copy(), cover[::-1].copy()
    anchor = cover.shape[1] * rng.uniform(0.35, 0.65), cover.shape[0] * rng.uniform(0.03, 0.5)
    return Sheet(albedo, cover, anchor, 35, (0, cover.shape[1]))


def draw_microphone(rng: Rng, pictures: NDArray[np.uint8]) -> Sheet:
    """Draw a microphone with a grille or a foam ball and a handle, sometimes with a station's cube."""
    ball, stem = rng.uniform(1.8, 3.6), rng.uniform(0.7, 1.5)
    tall = ball * rng.uniform(1.6, 2.6)
    ring = np.linspace(0, 1, 9)
    head = ball * np.sqrt(np.clip(1 - (2 * ring - 1) ** 2, 0.04, 1))
    heights = [*(ring * tall), tall + 0.3, tall + 20]
    profile = _profile(heights, [*head, stem * 1.3, stem])
    shape = (len(profile), px(2.5 * ball))
    dark = np.full(3, rng.uniform(0.02, 0.2))
    wrapped = np.full((*shape, 3), dark, np.float32)
    top = px(tall)
    if rng.random() < _FOAM_SHARE:
        foam = np.array(random_colour(rng), np.float32)
        rough = 1 + 0.15 * smooth_noise(rng, (top, shape[1]), (2, 2))
        wrapped[:top] = foam * rough[..., None]
    else:
        rows, columns = np.indices((top, shape[1]), np.float32)
        step = np.float32(rng.uniform(0.9, 2.2))
        mesh = 0.6 + 0.4 * np.sin(rows * step + columns * step) * np.sin(
            rows * step - columns * step
        )
        wrapped[:top] = (rng.uniform(0.1, 0.8) * mesh)[..., None]
    if rng.random() < 0.2:
        cube = slice(top + px(2), top + px(7))
        wrapped[cube] = random_surface(rng, wrapped[cube].shape[:2], pictures)
        profile[cube] = 8.0 * rng.uniform(2.4, 3.2)
    gloss = rng.uniform(0, 0.25)
    albedo, cover = turned_solid(profile, wrapped, rng, rng.uniform(-0.2, 0.3), gloss)
    middle = cover.shape[1] / 2
    anchor = middle + rng.normal(0, 4), rng.uniform(0, 0.25) * cover.shape[0]
    return Sheet(albedo, cover, anchor, 28, (middle - 8 * stem, middle + 8 * stem))
