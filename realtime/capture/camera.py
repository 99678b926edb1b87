"""Reads a camera through OpenCV: MJPG video, a driver buffer of one frame, timestamps on arrival."""

from __future__ import annotations

import os
import time

import cv2
import numpy as np

from inpaint_model.errors import UserError
from realtime.capture.devices import Camera
from realtime.capture.frame import CapturedFrame, CaptureLost

# How long OpenCV waits for a frame from V4L2, seconds; it reads the variable once, at the first wait.
_TIMEOUT_VARIABLE, _TIMEOUT_S = "OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "3"


class OpenCVCamera:
    """A connected camera.

    Uncompressed video of 1280x720 at 30 fps exceeds the bandwidth of USB 2, so MJPG is requested. A
    buffer of one frame keeps the driver from returning old frames. Drivers may ignore both requests.

    Args:
        camera: the camera to open.
        size: width and height to request, pixels.
        fps: frames a second to request.

    Raises:
        CaptureLost: it cannot be opened, because it is gone or another program uses it.
    """

    def __init__(self, camera: Camera, size: tuple[int, int], fps: float) -> None:
        os.environ.setdefault(_TIMEOUT_VARIABLE, _TIMEOUT_S)
        self.name = str(camera)
        self.warnings: list[str] = []
        self._index = 0
        where = camera.path if camera.backend == cv2.CAP_V4L2 else camera.index
        try:
            self._device = cv2.VideoCapture(where, camera.backend)  # pyright: ignore[reportCallIssue, reportArgumentType]
        except cv2.error:
            raise CaptureLost("cannot be opened") from None
        if not self._device.isOpened():
            raise CaptureLost("cannot be opened; does another program use it?")
        self._request(size, fps)
        self.nominal_fps = float(self._device.get(cv2.CAP_PROP_FPS))

    def _request(self, size: tuple[int, int], fps: float) -> None:
        fourcc = cv2.VideoWriter.fourcc(*"MJPG")
        settings = (
            (cv2.CAP_PROP_FOURCC, fourcc),
            (cv2.CAP_PROP_FRAME_WIDTH, size[0]),
            (cv2.CAP_PROP_FRAME_HEIGHT, size[1]),
            (cv2.CAP_PROP_FPS, fps),
            (cv2.CAP_PROP_BUFFERSIZE, 1),
        )
        for prop, value in settings:
            self._device.set(prop, value)
        actual = tuple(
            int(self._device.get(p)) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)
        )
        if actual != size:
            self.warnings.append(f"camera gives {actual[0]}x{actual[1]}, not {size[0]}x{size[1]}")
        if int(self._device.get(cv2.CAP_PROP_FOURCC)) != fourcc:
            self.warnings.append("camera gives no MJPG: its frame rate may be lower")

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
            raise UserError(f"{self.name}: its pixel format is not supported")
        self._index += 1
        return CapturedFrame(np.asarray(image_bgr, np.uint8), self._index - 1, captured_s)

    def close(self) -> None:
        """Release the camera."""
        self._device.release()
