"""The badge: in the lower left corner, as large as the picture asks, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from realtime.imaging.badge import badge_text_px, paste_badge


@pytest.mark.parametrize("size", [(720, 1280), (1080, 607), (60, 80)])
def test_paste_badge_changes_the_region_it_returns(size: tuple[int, int]) -> None:
    image = np.full((*size, 3), 120, np.uint8)
    region = paste_badge(image)
    changed = (image != 120).any(2)
    inside = changed[region]
    assert inside.mean() > 0.9
    assert inside.sum() == changed.sum()
    assert not changed[: size[0] // 2].any()
    assert image[region].min() < 60  # the rectangle
    assert image[region].max() > 220  # the text


def test_paste_badge_with_a_size_of_text_grows_with_it() -> None:
    image = np.zeros((720, 1280, 3), np.uint8)
    rows, columns = paste_badge(image)
    large_rows, large_columns = paste_badge(image, 2 * badge_text_px(image))
    assert large_rows.stop - large_rows.start == pytest.approx(2 * (rows.stop - rows.start), abs=3)
    assert large_columns.stop > 1.9 * columns.stop
