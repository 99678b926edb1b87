"""The kinds by name: masked faces, and bare faces with something before the mouth that is no mask."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.kinds import camera, eyewear, garments, masks, things
from benchmarks.kinds.scene import Kind, Picture, Portrait, Rng, Scene

Wear = Callable[[Portrait, Picture, Rng], Picture]
"""Draws something into a picture of a face; the same generator draws the same thing."""
_SEEDS = 2**31


def over_mask(wear: Wear) -> Kind:
    """Masked faces that wear or hold something besides; the truth has it too."""

    def kind(portrait: Portrait, rng: Rng) -> Scene:
        return _with(masks.plain(portrait, rng), portrait, wear, rng)

    return kind


def over_bare_face(wear: Wear) -> Kind:
    """Bare faces that wear or hold something."""

    def kind(portrait: Portrait, rng: Rng) -> Scene:
        return _with(portrait.scene(), portrait, wear, rng)

    return kind


def _with(scene: Scene, portrait: Portrait, wear: Wear, rng: Rng) -> Scene:
    seed = int(rng.integers(_SEEDS))
    return scene.covered(lambda rgb: wear(portrait, rgb, np.random.default_rng(seed)))


def pictured(take: Callable[[Scene, Rng], Scene], of: Kind = masks.plain) -> Kind:
    """Masked faces, without another kind those of the control, taken in another way."""

    def kind(portrait: Portrait, rng: Rng) -> Scene:
        return take(of(portrait, rng), rng)

    return kind


MASKED: dict[str, Kind] = {
    "plain": masks.plain,
    "chin cut off": pictured(camera.cut_chin),
    "forehead cut off": pictured(camera.cut_forehead),
    "side cut off": pictured(camera.cut_side),
    "fills the picture": pictured(camera.fills_picture),
    "small": pictured(camera.small),
    "gaiter": masks.gaiter,
    "scarf": masks.scarf,
    "bandana": masks.bandana,
    "printed respirator": masks.respirator,
    "tied straps": masks.tied_straps,
    "text over the edge": masks.text_over_edge,
    "glasses": over_mask(eyewear.wear_glasses),
    "sunglasses": over_mask(eyewear.wear_sunglasses),
    "goggles": over_mask(eyewear.wear_goggles),
    "headscarf": over_mask(garments.wear_headscarf),
    "microphone": over_mask(things.hold_microphone),
    "scarf, chin cut off": pictured(camera.cut_chin, masks.scarf),
    "sunglasses, side cut off": pictured(camera.cut_side, over_mask(eyewear.wear_sunglasses)),
    "gaiter, small": pictured(camera.small, masks.gaiter),
    "coloured light": pictured(camera.coloured_light),
    "grain": pictured(camera.grain),
    "motion blur": pictured(camera.motion_blur),
    "phone compression": pictured(camera.phone_compression),
    "dark": pictured(camera.dark),
    "against the light": pictured(camera.against_light),
}

BARE: dict[str, Kind] = {
    "bare": over_bare_face(lambda portrait, rgb, rng: rgb),
    "cup": over_bare_face(things.hold_cup),
    "microphone": over_bare_face(things.hold_microphone),
    "phone": over_bare_face(things.hold_phone),
    "beard": over_bare_face(things.grow_beard),
    "scarf under the chin": over_bare_face(garments.wear_scarf),
    "white cape": over_bare_face(garments.wear_cape),
}
