"""What is shown of a frame: the plain picture for files and other programs, and the view for the user."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.imaging.badge import badge_text_px, paste_badge
from realtime.imaging.text import Colour, Label, LabelStyle, paste, render_label
from realtime.live.choices import Key
from realtime.live.pipeline import ProcessedFrame

_FILLED_BGR, _BARE_BGR, _OUTLINE_BGR = (80, 200, 80), (200, 160, 60), (60, 200, 255)
_ORIGINAL, _RESULT, _NO_RESULT = "original", "unmasked", "unmasking off"
_STRENGTH_STEP, _STRENGTH_STEPS = 0.1, 10
_TOGGLES = {
    Key.UNMASKING: ("unmasked", "unmasking"),
    Key.MIRROR: ("mirror", "mirror"),
    Key.SIDE_BY_SIDE: ("side_by_side", ""),
    Key.BOXES: ("boxes", ""),
    Key.BAR: ("bar", ""),
    Key.HELP: ("help", ""),
}  # the field of `View` that a key turns on and off, and what the user is told


@dataclass(frozen=True)
class View:
    """What is shown.

    Attributes:
        unmasked: the result instead of the camera's frame.
        strength: opacity of the result over the camera's frame, 0.1..1.
        badge: frames with a synthetic face say so in the picture.
        mirror: the window shows the picture mirrored.
        side_by_side: both, the camera's frame on the left.
        boxes: bounding boxes with track ids, and the outline of the replaced pixels.
        bar: the window has its status bar.
        help: the window lists the keys.
    """

    unmasked: bool = True
    strength: float = 1.0
    badge: bool = True
    mirror: bool = False
    side_by_side: bool = False
    boxes: bool = False
    bar: bool = True
    help: bool = False

    def after(self, key: Key) -> tuple[View, str]:
        """Return the view after a key, and what the user is told; keys without a view change nothing."""
        if key in _TOGGLES:
            field, name = _TOGGLES[key]
            on = not getattr(self, field)
            return replace(self, **{field: on}), name and f"{name} {'on' if on else 'off'}"
        if key in (Key.STRONGER, Key.WEAKER):
            step = 1 if key is Key.STRONGER else -1
            steps = min(max(round(self.strength / _STRENGTH_STEP) + step, 1), _STRENGTH_STEPS)
            return replace(self, strength=steps * _STRENGTH_STEP), f"strength {steps * 10}%"
        return self, ""


@dataclass(frozen=True)
class Status:
    """What the window says beside the picture.

    Attributes:
        figures: of the run, for the status bar, the most important first.
        recording: what the sign of a recording says; empty while none runs.
        messages: lines for the user, the oldest first.
    """

    figures: tuple[str, ...] = ()
    recording: str = ""
    messages: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Preview:
    """A frame with all that is shown of it; nobody writes to its arrays.

    Attributes:
        processed: the frame.
        view: what is shown.
        status: what is said beside it.
    """

    processed: ProcessedFrame
    view: View = View()
    status: Status = Status()

    @cached_property
    def picture_bgr(self) -> NDArray[np.uint8]:
        """The plain picture for recordings and other programs, uint8 [H, W, 3], BGR.

        It has the badge and the strength, and no mirror, boxes, second side or text of the window.
        """
        picture = self._result_bgr
        if not self._has_badge:
            return picture
        picture = picture.copy()
        paste_badge(picture)
        return picture

    def as_shown(self) -> NDArray[np.uint8]:
        """Return the view as a picture to save, uint8 [H, W or 2W, 3], BGR; it is not mirrored."""
        height, width = self._result_bgr.shape[:2]
        image_bgr = np.empty((height, width * (1 + self.view.side_by_side), 3), np.uint8)
        self.draw(image_bgr, badge_text_px(image_bgr), mirror=False)
        return image_bgr

    def draw(self, area_bgr: NDArray[np.uint8], text_px: int, *, mirror: bool) -> None:
        """Draw the view as large as it fits into the middle of an area.

        Args:
            area_bgr: uint8 [h, w, 3], BGR; all of it is changed.
            text_px: the font's size, pixels.
            mirror: mirror the picture, but not the text in it.
        """
        height, width = self._result_bgr.shape[:2]
        halves = _fit(area_bgr, (width, height), 1 + self.view.side_by_side)
        _draw_scaled(halves[-1], self._result_bgr, mirror=mirror)
        if self.view.boxes:
            _draw_boxes(halves[-1], self.processed, text_px, mirror=mirror)
        if self.view.side_by_side:
            _draw_scaled(halves[0], self.processed.captured.image_bgr, mirror=mirror)
            names = _ORIGINAL, _RESULT if self.view.unmasked else _NO_RESULT
            for half, text in zip(halves, names, strict=True):
                paste(half, _label(text, text_px), text_px // 2, text_px // 2)
        if self._has_badge:
            paste_badge(halves[-1], text_px)

    @property
    def is_synthetic(self) -> bool:
        """Whether what is shown has a synthetic face in it."""
        return self.view.unmasked and any(face.inpainted for face in self.processed.result.faces)

    @property
    def _has_badge(self) -> bool:
        return self.view.badge and self.is_synthetic

    @cached_property
    def _result_bgr(self) -> NDArray[np.uint8]:
        captured_bgr, result_bgr = self.processed.captured.image_bgr, self.processed.result.frame
        if not self.view.unmasked:
            return captured_bgr
        if self.view.strength == 1 or not self.processed.result.any_replaced:
            return result_bgr
        strength = self.view.strength
        mixed = cv2.addWeighted(result_bgr, strength, captured_bgr, 1 - strength, 0)
        return mixed.astype(np.uint8, copy=False)


def letterboxed(image_bgr: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return an image of this width and height with the given one in its middle, on black."""
    fitted = np.empty((size[1], size[0], 3), np.uint8)
    (target,) = _fit(fitted, (image_bgr.shape[1], image_bgr.shape[0]), 1)
    _draw_scaled(target, image_bgr, mirror=False)
    return fitted


def _fit(area_bgr: NDArray[np.uint8], size: tuple[int, int], count: int) -> list[NDArray[np.uint8]]:
    """Return the parts of an area for so many pictures of one size side by side; paint the rest black."""
    height, width = area_bgr.shape[:2]
    scale = min(width / (count * size[0]), height / size[1])
    w, h = max(round(size[0] * scale), 1), max(round(size[1] * scale), 1)
    w, h = min(w, width // count), min(h, height)
    left, top = (width - count * w) // 2, (height - h) // 2
    if (count * w, h) != (width, height):
        area_bgr.fill(0)
    return [area_bgr[top : top + h, left + n * w : left + (n + 1) * w] for n in range(count)]


def _draw_scaled(
    target_bgr: NDArray[np.uint8], image_bgr: NDArray[np.uint8], *, mirror: bool
) -> None:
    """Scale an image to the target's size, into the target's pixels."""
    if not target_bgr.size:
        return
    cv2.resize(image_bgr, (target_bgr.shape[1], target_bgr.shape[0]), dst=target_bgr)
    if mirror:
        cv2.flip(target_bgr, 1, dst=target_bgr)


def _draw_boxes(
    target_bgr: NDArray[np.uint8], processed: ProcessedFrame, text_px: int, *, mirror: bool
) -> None:
    """Draw bounding boxes with track ids, and outlines, in the colours of what was done to the face."""
    height, width = processed.result.replaced.shape
    scale = np.array([target_bgr.shape[1] / width, target_bgr.shape[0] / height])

    def placed(points: NDArray[np.float64]) -> NDArray[np.int32]:
        """Return points of the frame, [N, 2], as pixels of the target."""
        flipped = points * (-1, 1) + (width - 1, 0) if mirror else points
        return np.rint(flipped * scale).astype(np.int32)

    if processed.result.any_replaced:
        found, _ = cv2.findContours(
            processed.result.replaced, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
        )
        outlines = [placed(outline[:, 0].astype(np.float64)) for outline in found]
        cv2.polylines(target_bgr, outlines, True, _OUTLINE_BGR, 1, cv2.LINE_AA)
    for face in processed.result.faces:
        corners = placed(np.array(face.box, np.float64).reshape(2, 2))
        (x0, y0), (x1, y1) = corners.min(0).tolist(), corners.max(0).tolist()
        colour = _FILLED_BGR if face.inpainted else _BARE_BGR
        cv2.rectangle(target_bgr, (x0, y0), (x1, y1), colour, 2)
        state = "invented" if face.inpainted else "bare"
        label = _label(f"{face.track_id} {state} {face.mask_coverage:.0%}", text_px, colour)
        paste(target_bgr, label, x0, max(y0 - label.size[1] - 2, 0))


def _label(text: str, text_px: int, text_bgr: Colour = (255, 255, 255)) -> Label:
    return render_label(((text,),), LabelStyle(text_px, text_bgr))
