"""Media for the tests of batches."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from realtime.demo.clip import CameraPath, DemoClip
from tests.realtime.making_media import write_video


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A masked picture, a masked video, an empty room and a broken file, in a tree."""
    folder = tmp_path_factory.mktemp("media")
    clip = DemoClip(path=CameraPath(side=256, seconds=0.4, zoom=(1.0, 1.1)))
    (folder / "a" / "b").mkdir(parents=True)
    cv2.imwrite(str(folder / "a" / "face.png"), clip.masked_rgb(0)[:, :, ::-1])
    write_video(folder / "a" / "b" / "film.mp4", clip.masked_bgr(), sound_s=0.4)
    cv2.imwrite(str(folder / "room.png"), np.full((64, 64, 3), 90, np.uint8))
    (folder / "broken.jpg").write_bytes(b"no picture" * 20)
    (folder / "notes.txt").write_text("left alone")
    return folder
