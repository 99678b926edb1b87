"""Positions of a run: crops counted where steps follow each other, else asked for."""

from __future__ import annotations

from trainer.data.epoch_order import CropCount


def test_crop_count_asks_only_where_steps_jump():
    asked = []

    def before(step: int) -> int:
        asked.append(step)
        return 100 * step

    count = CropCount(before)
    assert [count.add(step, 8) for step in (0, 1, 2)] == [0, 8, 16]
    assert [count.add(step, 4) for step in (7, 8)] == [700, 704]
    assert count.add(2, 4) == 200
    assert asked == [0, 7, 2]
