"""What the tests of several stages share."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray


@pytest.fixture
def mask() -> NDArray[np.bool_]:
    """An oval mask over the lower face of a crop, bool [128, 128]."""
    mask = np.zeros((128, 128), np.uint8)
    cv2.ellipse(mask, (64, 82), (28, 24), 0, 0, 360, 1, -1)
    return mask > 0
