"""The astronaut in a rendered mask."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.frames import Face
from realtime.synthetic import preset_style, render_mask


@pytest.fixture(scope="module")
def masked_rgb(astronaut_rgb: NDArray[np.uint8], astronaut_face: Face) -> NDArray[np.uint8]:
    assert astronaut_face.landmarks is not None
    return render_mask(astronaut_rgb, astronaut_face.landmarks, preset_style("surgical")).image_rgb
