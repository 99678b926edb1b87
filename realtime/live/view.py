"""Composes the frame to show: bounding boxes, hole outlines, side by side, and a line of figures."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.live.pipeline import ProcessedFrame

_FONT, _LINE_PX = cv2.FONT_HERSHEY_SIMPLEX, 20
_FILLED_BGR, _BARE_BGR, _OUTLINE_BGR = (80, 200, 80), (200, 160, 60), (60, 200, 255)


@dataclass
class View:
    """What is shown.

    Attributes:
        unmasked: the result instead of the camera's frame.
        side_by_side: both, the camera's frame on the left.
        boxes: bounding boxes with track ids, and the outline of the replaced pixels.
        text: figures and keys.
    """

    unmasked: bool = True
    side_by_side: bool = False
    boxes: bool = False
    text: bool = True


def compose(processed: ProcessedFrame, view: View) -> NDArray[np.uint8]:
    """Return the image to show, uint8 [H, W or 2W, 3] BGR. It may be the frame: do not draw on it."""
    shown = processed.result.frame if view.unmasked else processed.captured.image_bgr
    if view.boxes:
        shown = _with_boxes(shown, processed)
    if view.side_by_side:
        shown = np.hstack([processed.captured.image_bgr, shown])
    return shown


def _with_boxes(image_bgr: NDArray[np.uint8], processed: ProcessedFrame) -> NDArray[np.uint8]:
    drawn = image_bgr.copy()
    if processed.result.any_replaced:
        outlines, _ = cv2.findContours(
            processed.result.replaced, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
        )
        cv2.drawContours(drawn, outlines, -1, _OUTLINE_BGR, 1, cv2.LINE_AA)
    for face in processed.result.faces:
        x0, y0, x1, y1 = (round(value) for value in face.box)
        colour = _FILLED_BGR if face.inpainted else _BARE_BGR
        cv2.rectangle(drawn, (x0, y0), (x1, y1), colour, 2)
        state = "invented" if face.inpainted else "bare"
        label = f"{face.track_id} {state} {face.mask_coverage:.0%}"
        cv2.putText(drawn, label, (x0, max(y0 - 6, 12)), _FONT, 0.5, colour, 1, cv2.LINE_AA)
    return drawn


def with_text(image_bgr: NDArray[np.uint8], lines: list[str]) -> NDArray[np.uint8]:
    """Return a copy with lines of text on a dark band at the top."""
    drawn = image_bgr.copy()
    height = min(_LINE_PX * len(lines) + 6, drawn.shape[0])
    drawn[:height] //= 3
    for number, line in enumerate(lines):
        at = (8, _LINE_PX * (number + 1) - 4)
        cv2.putText(drawn, line, at, _FONT, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
    return drawn
