"""Random colours of masks and straps."""

from __future__ import annotations

import colorsys

import numpy as np

from realtime.synthetic.style import Rgb


def weighted_choice(rng: np.random.Generator, shares: dict[str, float]) -> str:
    """Draw one of the names, each with the probability given; these sum to 1."""
    names = list(shares)
    return names[int(rng.choice(len(names), p=np.array(list(shares.values()))))]


def random_colour(rng: np.random.Generator) -> Rgb:
    """Draw a cloth colour: black, white, grey, skin-like, navy, muted or vivid; 0..1."""
    family = weighted_choice(
        rng,
        {"black": 0.26, "white": 0.16, "grey": 0.12, "skin": 0.12, "navy": 0.08, "muted": 0.14,
         "vivid": 0.12},
    )  # fmt: skip
    if family in ("black", "white", "grey"):
        low, high = {"black": (0.05, 0.17), "white": (0.8, 1.0), "grey": (0.2, 0.75)}[family]
        level = float(rng.uniform(low, high))
        return jitter_colour(rng, (level, level, level), 0.015)
    hue, saturation, value = {
        "skin": (rng.uniform(0.02, 0.1), rng.uniform(0.15, 0.5), rng.uniform(0.45, 0.95)),
        "navy": (rng.uniform(0.58, 0.68), rng.uniform(0.3, 0.7), rng.uniform(0.15, 0.4)),
        "muted": (rng.random(), rng.uniform(0.1, 0.4), rng.uniform(0.3, 0.9)),
        "vivid": (rng.random(), rng.uniform(0.5, 0.95), rng.uniform(0.4, 0.95)),
    }[family]
    return colorsys.hsv_to_rgb(float(hue), float(saturation), float(value))


def random_strap_colour(rng: np.random.Generator) -> Rgb:
    """Draw a strap colour: white or black elastic, seldom another colour."""
    draw = rng.random()
    if draw < 0.85:
        return (0.85, 0.86, 0.87) if draw < 0.55 else (0.1, 0.1, 0.1)
    return random_colour(rng)


def jitter_colour(rng: np.random.Generator, rgb: Rgb, amount: float) -> Rgb:
    """Add Gaussian noise of standard deviation `amount` to each channel."""
    red, green, blue = np.clip(np.array(rgb) + rng.normal(0, amount, 3), 0.02, 1.05)
    return float(red), float(green), float(blue)
