"""What the tests of several stages share."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.realtime.x_display import XDisplay, display_in_memory


@pytest.fixture(scope="module")
def display(tmp_path_factory: pytest.TempPathFactory) -> Iterator[XDisplay]:
    """A display in memory."""
    with display_in_memory(tmp_path_factory.mktemp("display")) as display:
        yield display


@pytest.fixture
def mask() -> NDArray[np.bool_]:
    """An oval mask over the lower face of a crop, bool [128, 128]."""
    mask = np.zeros((128, 128), np.uint8)
    cv2.ellipse(mask, (64, 82), (28, 24), 0, 0, 360, 1, -1)
    return mask > 0
