"""Finished frames for tests: a left half and a right half that differ, and a synthetic square."""

from __future__ import annotations

import numpy as np

from realtime.capture import CapturedFrame
from realtime.frames import FaceResult, UnmaskResult
from realtime.live.pipeline import ProcessedFrame
from realtime.live.view import Preview, Status, View

LEFT_BGR, RIGHT_BGR, FILL_BGR = (200, 40, 40), (40, 200, 40), (90, 120, 200)


def processed_frame(width: int = 640, height: int = 480, *, filled: bool = True) -> ProcessedFrame:
    """A blue half on the left, in which a square is filled, and a green half on the right."""
    image = np.full((height, width, 3), RIGHT_BGR, np.uint8)
    image[:, : width // 2] = LEFT_BGR
    frame, replaced = image.copy(), np.zeros((height, width), np.uint8)
    box = width // 8, height // 4, 3 * width // 8, 3 * height // 4
    if filled:
        replaced[box[1] : box[3], box[0] : box[2]] = 255
        frame[replaced > 0] = FILL_BGR
    crop = np.zeros((128, 128, 3), np.uint8)
    face = FaceResult(7, box, np.zeros((5, 2)), 0.3, filled, crop, crop)
    for array in (image, frame, replaced):
        array.flags.writeable = False
    result = UnmaskResult(frame, replaced, [face], {"detect_and_track": 1.0})
    return ProcessedFrame(CapturedFrame(image, 0, 0.0), result)


def make_preview(
    view: View | None = None, status: Status | None = None, *, filled: bool = True
) -> Preview:
    """A frame of 640x480 pixels as it is shown."""
    return Preview(processed_frame(filled=filled), view or View(), status or Status())
