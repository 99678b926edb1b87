"""What is known of UTKFace's people: age, sex and label by the file's name, skin tone by the skin."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from skimage.color import rgb2lab

from realtime.align.warp_crop import warp_crop_rgb

# UTKFace names a file age_sex_label_time; these are the data set's own words for its codes.
_NAME = re.compile(r"(\d{1,3})_([01])_([0-4])_\d+")
_SEXES = ("male", "female")
_LABELS = ("White", "Black", "Asian", "Indian", "Others")
# First age of each band, years.
_AGES = ((60, "60 and over"), (40, "40 to 59"), (18, "18 to 39"), (0, "under 18"))
# Least ITA of each class, degrees (Chardon et al. 1991; Del Bino and Bernerd 2013).
_TONES = (
    *((55.0, "very light"), (41.0, "light"), (28.0, "intermediate")),
    *((10.0, "tan"), (-30.0, "brown"), (-180.0, "dark")),
)
# Rows and columns in the canonical crop, below glasses and above brows: both cheeks and the forehead.
_PATCHES = (
    *((slice(64, 78), slice(36, 50)), (slice(64, 78), slice(77, 91))),
    (slice(22, 38), slice(50, 78)),
)
NO_TONE = "grey picture"
"""The class of pictures without colour, whose ITA says nothing."""
_GREY_LEVELS = 10.0  # mean difference of a grey picture's largest and smallest channel, at most

ATTRIBUTES = {
    "label": _LABELS,
    "sex": _SEXES,
    "age": tuple(name for _, name in reversed(_AGES)),
    "skin tone": (*(name for _, name in _TONES), NO_TONE),
}
"""The attributes by which people are grouped, and the groups of each in order."""


@dataclass(frozen=True)
class Person:
    """The groups that a person belongs to: one of each of `ATTRIBUTES`.

    Attributes:
        name: of the file, without its ending.
        ita_deg: individual typology angle of the skin as photographed, degrees; None for a grey picture.
        groups: the group by attribute.
    """

    name: str
    ita_deg: float | None
    groups: dict[str, str]


def has_known_name(name: str) -> bool:
    """Whether a file's name, without its ending, is one of UTKFace: age_sex_label_time."""
    return _NAME.match(name) is not None


def person_of(
    name: str, picture_bgr: NDArray[np.uint8], to_crop: NDArray[np.float64]
) -> Person | None:
    """Read the groups of a person from the name of a photograph and from its bare skin.

    Args:
        name: of the file, without its ending: age_sex_label_time.
        picture_bgr: uint8 [H, W, 3], BGR, the bare face.
        to_crop: float64 [2, 3], picture pixels to canonical crop pixels.

    Returns:
        The person; None where the name has another form or no skin is seen.
    """
    parts = _NAME.match(name)
    if parts is None:
        return None
    crop_rgb, valid = warp_crop_rgb(picture_bgr, to_crop)
    ita_deg = None
    if np.ptp(crop_rgb.astype(np.float32), axis=2)[valid].mean() > _GREY_LEVELS:
        ita_deg = skin_ita_deg(crop_rgb, valid)
        if ita_deg is None:
            return None
    age, sex, label = (int(part) for part in parts.groups())
    groups = {"label": _LABELS[label], "sex": _SEXES[sex], "age": _class_of(age, _AGES)}
    groups["skin tone"] = NO_TONE if ita_deg is None else tone_class(ita_deg)
    return Person(name, ita_deg, groups)


def skin_ita_deg(crop_rgb: NDArray[np.uint8], valid: NDArray[np.bool_]) -> float | None:
    """Measure the individual typology angle of the bare skin of both cheeks and the forehead.

    It is the median of the three, as a fringe, glasses or a shadow may cover one. The light of the
    photograph is part of it: it tells how dark the skin is in this picture.

    Args:
        crop_rgb: uint8 [128, 128, 3], RGB, canonical crop of a bare face.
        valid: bool [128, 128], the pixels inside the photograph.

    Returns:
        Degrees; None where none of the three is inside the photograph.
    """
    lab = rgb2lab(crop_rgb)
    seen = [np.median(lab[at][valid[at]], axis=0) for at in _PATCHES if valid[at].any()]
    angles = [ita_deg(float(lightness), float(yellow)) for lightness, _, yellow in seen]
    return float(np.median(angles)) if angles else None


def ita_deg(lightness: float, yellow: float) -> float:
    """Individual typology angle, degrees, of CIELAB's L* and b*: atan((L* - 50) / b*) for b* above 0."""
    return float(np.rad2deg(np.arctan2(lightness - 50, yellow)))


def tone_class(degrees: float) -> str:
    """Name the class of skin tone of an ITA."""
    return _class_of(degrees, _TONES)


def _class_of(value: float, classes: tuple[tuple[float, str], ...]) -> str:
    """The first class whose least value is below the value, or equal to it."""
    return next(name for least, name in classes if value >= least)
