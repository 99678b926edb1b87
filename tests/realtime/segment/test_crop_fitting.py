"""The crop holds the whole mask: it is widened where it cuts the mask off, and returns once it need not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from realtime.align.affine import apply
from realtime.align.crop_window import CANONICAL, CropWindow
from realtime.frames import Face
from realtime.segment.crop_fitting import SegmentedCrop, fit_window
from realtime.segment.stage import SegmentStage
from realtime.settings import SEGMENT
from realtime.synthetic import preset_style, render_mask
from tests.realtime.making_faces import tracked_frame

Box = tuple[tuple[float, float], tuple[float, float]]
"""From and to of a mask, x and y, canonical crop px."""

WIDE = CropWindow(0.64)


def crops_of(
    *boxes: Box, worn: Callable[[CropWindow], bool] = lambda _: True
) -> Callable[[CropWindow], SegmentedCrop]:
    """Segments made crops: a mask of these boxes; `worn` says in which windows it is seen."""

    def segment(window: CropWindow) -> SegmentedCrop:
        mask = np.zeros((128, 128), bool)
        for x, y in boxes if worn(window) else ():
            (x0, y0), (x1, y1) = apply(window.matrix, np.array([[x[0], y[0]], [x[1], y[1]]]))
            mask[max(round(y0), 0) : round(y1) + 1, max(round(x0), 0) : round(x1) + 1] = True
        crop, valid = np.zeros((128, 128, 3), np.uint8), np.ones((128, 128), bool)
        return SegmentedCrop(window, crop, valid, mask.astype(np.float32), mask, bool(mask.any()))

    return segment


SMALL: Box = ((30, 98), (70, 118))
BELOW: Box = ((30, 98), (70, 150))
FITS_BY_A_SHIFT: Box = ((-6, 84), (60, 136))


def test_fit_window_mask_inside_stays_canonical():
    for closer in (False, True):
        assert fit_window(crops_of(SMALL), CANONICAL, closer=closer)[0].window == CANONICAL


def test_fit_window_no_mask_keeps_the_window():
    found, worn = fit_window(crops_of(), WIDE, closer=True)
    assert not worn and found.window == WIDE


def test_fit_window_mask_cut_at_a_corner_moves_away():
    found, _ = fit_window(crops_of(((60, 150), (70, 150))), CANONICAL, closer=True)
    corner = apply(found.window.matrix, np.array([[127.0, 127.0]]))[0]
    assert (corner < 112).all()  # what lay at the lower right corner lies inside now
    assert found.window.scale >= SEGMENT.least_window_scale


def test_fit_window_mask_fits_by_a_shift_keeps_the_scale():
    found, _ = fit_window(crops_of(FITS_BY_A_SHIFT), CANONICAL, closer=False)
    assert found.window.scale == 1.0 and found.window != CANONICAL
    assert found.holds_mask and found.mask_area_px > 0.98 * 90 * 76
    assert (
        fit_window(crops_of(FITS_BY_A_SHIFT), found.window, closer=True)[0].window == found.window
    )


def test_fit_window_cut_ear_loop_moves_without_shrinking():
    found, _ = fit_window(
        crops_of(((30, 98), (70, 110)), ((98, 132), (74, 77))), CANONICAL, closer=False
    )
    assert found.window.scale == 1.0 and found.window != CANONICAL
    assert found.holds_mask


def test_fit_window_large_mask_is_shown_as_large_as_fits():
    found, _ = fit_window(crops_of(((-4, 131), (60, 140))), CANONICAL, closer=False)
    assert 0.8 < found.window.scale < 0.9
    assert found.holds_mask


def test_fit_window_closer_one_shows_no_mask_keeps_the_wide():
    segment = crops_of(
        FITS_BY_A_SHIFT, worn=lambda window: window == CANONICAL or window.scale < 0.9
    )
    found, worn = fit_window(segment, CANONICAL, closer=False)
    assert worn and found.window.scale == SEGMENT.window_step


def test_fit_window_closer_one_shows_half_the_mask_keeps_the_wide():
    """Shown large, the lower half of the mask is taken for a collar."""

    def segment(window: CropWindow) -> SegmentedCrop:
        half: Box = ((-6, 84), (60, 98))
        is_fitted = window != CANONICAL and window.scale > 0.9
        return crops_of(half if is_fitted else FITS_BY_A_SHIFT)(window)

    found, worn = fit_window(segment, CANONICAL, closer=False)
    assert worn and found.window.scale == SEGMENT.window_step
    assert found.mask_area_px == pytest.approx(90 * 76, rel=0.05)


def test_fit_window_mask_fits_again_returns_if_asked():
    assert fit_window(crops_of(SMALL), WIDE, closer=False)[0].window == WIDE
    assert fit_window(crops_of(SMALL), WIDE, closer=True)[0].window == CANONICAL


def test_fit_window_moved_a_little_stays_and_far_returns():
    """Windows that show the face as well as the canonical one must not change to and fro."""
    for shift, returns in ((6.0, False), (12.0, True)):
        moved = CropWindow(1.0, (shift, 0.0))
        found, _ = fit_window(crops_of(SMALL), moved, closer=True)
        assert found.window == (CANONICAL if returns else moved)


def test_fit_window_less_of_the_mask_is_left_comes_closer():
    """The canonical window is too close still, but the wide one need not be as wide."""
    found, _ = fit_window(crops_of(FITS_BY_A_SHIFT), WIDE, closer=True)
    assert found.window.scale == 1.0 and found.window != CANONICAL


def test_fit_window_wide_one_sees_more_still_returns():
    """Shown small, a hand or a collar is easily taken for mask: that must not keep the crop wide."""

    def segment(window: CropWindow) -> SegmentedCrop:
        return crops_of(SMALL, *([BELOW] if window.scale < 0.9 else []))(window)

    assert fit_window(segment, WIDE, closer=True)[0].window == CANONICAL


def test_segment_stage_stream_returns_as_soon_as_it_fits(astronaut_rgb, astronaut_face: Face):
    """A face comes so close that its crop cuts the mask off, and goes back."""
    assert astronaut_face.landmarks is not None
    worn = render_mask(astronaut_rgb, astronaut_face.landmarks, preset_style("surgical"))
    near = astronaut_face.matrix * 1.6
    near[:, 2] += np.array([63.5, 46.0]) * (1 - 1.6)
    stage = SegmentStage(reuse=False)
    matrices = [near] * 2 + [astronaut_face.matrix] * SEGMENT.closer_window_every_n
    frames = [tracked_frame(worn.image_rgb, astronaut_face, matrix) for matrix in matrices]
    faces = [stage(frame).faces[0] for frame in frames]
    stage.close()
    assert all(face.wears_mask for face in faces)
    assert max(face.window.scale for face in faces[:2]) < 0.9
    assert faces[-1].window == CANONICAL


def test_segment_stage_mask_unseen_in_a_frame_keeps_the_window(astronaut_rgb, astronaut_face: Face):
    assert astronaut_face.landmarks is not None
    worn = render_mask(astronaut_rgb, astronaut_face.landmarks, preset_style("surgical"))
    near = astronaut_face.matrix * 1.6
    near[:, 2] += np.array([63.5, 46.0]) * (1 - 1.6)
    stage = SegmentStage(reuse=False)
    pictures = (worn.image_rgb, astronaut_rgb, worn.image_rgb)
    seen = [stage(tracked_frame(one, astronaut_face, near)).faces[0] for one in pictures]
    stage.close()
    assert [face.shows_mask for face in seen] == [True, False, True]
    assert seen[0].window == seen[1].window == seen[2].window != CANONICAL
    assert len({face.change.epoch for face in seen}) == 1 and all(face.wears_mask for face in seen)


def test_segment_stage_mask_taken_off_returns_to_canonical(astronaut_rgb, astronaut_face: Face):
    assert astronaut_face.landmarks is not None
    worn = render_mask(astronaut_rgb, astronaut_face.landmarks, preset_style("surgical"))
    near = astronaut_face.matrix * 1.6
    near[:, 2] += np.array([63.5, 46.0]) * (1 - 1.6)
    stage = SegmentStage(reuse=False)
    (masked,) = stage(tracked_frame(worn.image_rgb, astronaut_face, near)).faces
    bare = [stage(tracked_frame(astronaut_rgb, astronaut_face, near)).faces[0] for _ in range(6)]
    stage.close()
    assert masked.window.scale < 0.9 and not bare[-1].wears_mask
    assert bare[-1].window == CANONICAL
