"""The segmenter's loss: thin parts of masks have more weight."""

from __future__ import annotations

import torch

from trainer.segmenter_task import thin_parts


def test_thin_parts_are_ear_loops():
    mask = torch.zeros(1, 64, 64)
    mask[0, 30:50, 20:44] = 1
    mask[0, 32:34, 44:60] = 1
    thin = thin_parts(mask)
    assert thin[0, 32:34, 46:60].all()
    assert not thin[0, 30:50, 20:44].any()
    assert not (thin * (1 - mask)).any()
