"""The astronaut in a rendered mask."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.frames import Face
from realtime.synthetic import RenderedMask, preset_style, render_mask


@pytest.fixture(scope="module")
def worn(astronaut_rgb: NDArray[np.uint8], astronaut_face: Face) -> RenderedMask:
    assert astronaut_face.landmarks is not None
    return render_mask(astronaut_rgb, astronaut_face.landmarks, preset_style("surgical"))


@pytest.fixture(scope="module")
def masked_rgb(worn: RenderedMask) -> NDArray[np.uint8]:
    return worn.image_rgb
