"""Reads a camera through OpenCV: MJPG asked for, a driver buffer of one, frames stamped on arrival."""

from __future__ import annotations

import os
import time

import cv2
import numpy as np

from inpaint_model.errors import UserError
from realtime.capture.devices import Camera
from realtime.capture.frame import CapturedFrame, CaptureLost

# Seconds OpenCV waits for V4L2 to give a frame; it reads this once, on the first wait.
_WAIT_VARIABLE, _WAIT_S = "OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "3"


class OpenCVCamera:
    """A camera that is plugged in.

    Uncompressed video of 1280x720 at 30 fps does not fit through USB 2, so that MJPG is asked for; a
    buffer of one keeps the driver from handing out old frames. Drivers may refuse either.

    Args:
        camera: which one.
        size: width and height to ask for, pixels.
        fps: frames a second to ask for.

    Raises:
        CaptureLost: it cannot be opened: taken by another program, or gone.
    """

    def __init__(self, camera: Camera, size: tuple[int, int], fps: float) -> None:
        os.environ.setdefault(_WAIT_VARIABLE, _WAIT_S)
        self.name = str(camera)
        self.notes: list[str] = []
        self._index = 0
        where = camera.path if camera.backend == cv2.CAP_V4L2 else camera.index
        try:
            self._device = cv2.VideoCapture(where, camera.backend)  # pyright: ignore[reportCallIssue, reportArgumentType]
        except cv2.error:
            raise CaptureLost("cannot be opened") from None
        if not self._device.isOpened():
            raise CaptureLost("cannot be opened; does another program use it?")
        self._ask(size, fps)
        self.nominal_fps = float(self._device.get(cv2.CAP_PROP_FPS))

    def _ask(self, size: tuple[int, int], fps: float) -> None:
        fourcc = cv2.VideoWriter.fourcc(*"MJPG")
        wishes = (
            (cv2.CAP_PROP_FOURCC, fourcc),
            (cv2.CAP_PROP_FRAME_WIDTH, size[0]),
            (cv2.CAP_PROP_FRAME_HEIGHT, size[1]),
            (cv2.CAP_PROP_FPS, fps),
            (cv2.CAP_PROP_BUFFERSIZE, 1),
        )
        for prop, value in wishes:
            self._device.set(prop, value)
        got = tuple(
            int(self._device.get(p)) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)
        )
        if got != size:
            self.notes.append(f"camera gives {got[0]}x{got[1]}, not {size[0]}x{size[1]}")
        if int(self._device.get(cv2.CAP_PROP_FOURCC)) != fourcc:
            self.notes.append("camera gives no MJPG: its frame rate may be lower")

    def read(self) -> CapturedFrame | None:
        """Wait for the next frame."""
        try:
            ok, image_bgr = self._device.read()
        except cv2.error as error:
            raise CaptureLost(f"cannot be read ({error.err})") from None
        if not ok or image_bgr is None:
            raise CaptureLost("gives no frames; is it unplugged?")
        captured_s = time.perf_counter()
        if image_bgr.dtype != np.uint8 or image_bgr.ndim != 3 or image_bgr.shape[2] != 3:
            raise UserError(f"{self.name}: gives pictures of a kind that is not supported")
        shot = CapturedFrame(np.asarray(image_bgr, dtype=np.uint8), self._index, captured_s)
        self._index += 1
        return shot

    def close(self) -> None:
        """Give the camera free."""
        self._device.release()
