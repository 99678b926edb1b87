"""Grain synthesis: decides how much of the frame's skin texture a fill lacks, and where."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.align.affine import scale_of
from realtime.align.crop_window import CANONICAL, CropWindow
from realtime.align.face_regions import SKIN_SEEDS, UPPER_FACE
from realtime.composite.grain_texture import skin_texture
from realtime.frames import Fill, Grain, SegmentedFace
from realtime.imaging.mask_regions import eroded
from realtime.imaging.skin import has_tone, skin_tone, to_ycc
from realtime.inpaint.appearance import FrameStep
from realtime.settings import COMPOSITE
from realtime.stages import PerTrack

_DETAIL_SIGMA_PX = 0.7  # of the blur whose residual is the fill's detail, crop px
_ENERGY_SIGMA_PX = 2.0  # of the Gaussian that averages its energy, crop px
_SHARE_SIGMA_PX = 1.5  # of the Gaussian that softens the edges of skin, crop px
_OFF_SKIN_SHARE = 0.4  # share of the grain on pixels that are not skin
_BRIGHTNESS_RANGE = 0.3, 1.1  # share of the grain by brightness, over the mean of the bare skin
_EDGE_PX = 2  # distance kept from the edges of skin, crop px


class GrainSynthesis(FrameStep):
    """Measures the skin of the frame and makes the grain that the fill lacks.

    There is none for a face so small that the fill is as fine as the frame, or with too little bare skin.
    """

    name = "grain"

    def __init__(self) -> None:
        self._skin: PerTrack[tuple[int, _Skin | None] | None] = PerTrack(lambda: None)

    def __call__(
        self,
        fill: Fill,
        face: SegmentedFace,
        frame_bgr: NDArray[np.uint8],
        matrix: NDArray[np.float64],
    ) -> Fill:
        """Add grain to the fill; its pixels stay; see `FrameStep`."""
        scale = 1 / scale_of(matrix)
        if scale <= COMPOSITE.grain_scale:
            return replace(fill, grain=None)
        known = self._skin[face.track_id]
        if known is None or known[0] != fill.version:
            known = fill.version, _measure_skin(fill.rgb, face)
            self._skin[face.track_id] = known
        skin = known[1]
        grain = None if skin is None else _grain_for(frame_bgr, skin, matrix, scale)
        return replace(fill, grain=grain)

    def keep_only(self, track_ids: Collection[int]) -> None:
        """Forget all other faces."""
        self._skin.keep_only(track_ids)

    def reset(self) -> None:
        """Forget all faces."""
        self._skin.clear()


@dataclass(frozen=True)
class _Skin:
    """The skin to take grain from and the need of it in the fill; valid as long as the fill.

    Attributes:
        bare: bool [128, 128], bare skin outside the hole.
        count: the number of its pixels.
        fill_energy: float32 [128, 128], the energy of the fill's own detail, squared levels.
        need: float32 [128, 128], the share of grain by brightness and by being skin; 0 outside the hole.
    """

    bare: NDArray[np.bool_]
    count: int
    fill_energy: NDArray[np.float32]
    need: NDArray[np.float32]


def bare_skin(
    skin_like: NDArray[np.bool_],
    known: NDArray[np.bool_],
    window: CropWindow = CANONICAL,
    margin_px: int = 2,
) -> NDArray[np.bool_]:
    """Narrow pixels of skin tone to bare skin of the upper face, away from the hole's edge, eyes and hair.

    Args:
        skin_like: bool [128, 128], pixels of the skin's tone.
        known: bool [128, 128], true pixels of the photograph.
        window: of the crop.
        margin_px: distance kept from the hole, crop px.

    Returns:
        bool [128, 128].
    """
    return eroded(skin_like & window.show(UPPER_FACE), _EDGE_PX) & eroded(known, margin_px)


def _measure_skin(filled_rgb: NDArray[np.uint8], face: SegmentedFace) -> _Skin | None:
    """Find the bare skin to take grain from, and where a fill, uint8 [128, 128, 3], needs it."""
    seeds = [face.window.show(where) & face.known for where in SKIN_SEEDS]
    tone = skin_tone(to_ycc(face.crop_rgb), seeds)
    if tone is None:
        return None
    skin_like = has_tone(to_ycc(filled_rgb), tone)
    bare = bare_skin(skin_like, face.known, face.window)
    count = int(np.count_nonzero(bare))
    if count < COMPOSITE.grain_skin_px:
        return None
    luma = cv2.cvtColor(filled_rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    detail = luma - cv2.GaussianBlur(luma, (0, 0), _DETAIL_SIGMA_PX)
    fill_energy = cv2.GaussianBlur(detail * detail, (0, 0), _ENERGY_SIGMA_PX)
    mean = max(cv2.mean(luma, bare.view(np.uint8))[0], 1.0)
    bright = np.clip(luma / np.float32(mean), *_BRIGHTNESS_RANGE)
    skin_share = np.where(skin_like, 1, _OFF_SKIN_SHARE).astype(np.float32)
    need = bright * cv2.GaussianBlur(skin_share, (0, 0), _SHARE_SIGMA_PX) * face.hole
    return _Skin(bare, count, fill_energy.astype(np.float32), need.astype(np.float32))


def _grain_for(
    frame_bgr: NDArray[np.uint8], skin: _Skin, matrix: NDArray[np.float64], scale: float
) -> Grain | None:
    """Make the grain that the fill lacks from the skin of the frame; None where that has no detail."""
    tile, energy = skin_texture(frame_bgr, skin.bare, matrix, scale)
    if energy <= 0:
        return None
    share = _ramp(scale, COMPOSITE.grain_scale, COMPOSITE.full_grain_scale)
    share *= _ramp(skin.count, COMPOSITE.grain_skin_px, COMPOSITE.full_grain_skin_px)
    within_most = min(1.0, COMPOSITE.most_grain_levels / float(np.sqrt(energy)))
    share *= COMPOSITE.grain_strength * within_most
    # There is less grain where the fill has detail of its own.
    lacking = np.sqrt(np.clip(1 - skin.fill_energy * np.float32(1 / energy), 0, 1))
    return Grain(tile, lacking * skin.need * np.float32(share))


def _ramp(value: float, low: float, high: float) -> float:
    """Rise linearly from 0 at `low` to 1 at `high`."""
    return float(np.clip((value - low) / (high - low), 0, 1))
