"""Changes to the next connected camera while frames are read."""

from __future__ import annotations

import threading
from collections.abc import Callable

from inpaint_model.errors import UserError
from realtime.capture.devices import Camera, list_cameras
from realtime.capture.frame import CapturedFrame
from realtime.capture.reconnecting import Notify, Reconnecting


class CameraSwitch:
    """A live source that is one camera after another, as the user asks for it.

    Args:
        first: the camera to begin with; it is closed with this source.
        open_camera: opens another one.
        notify: called with one line for the user, from the thread that reads too.
        connected: lists the connected cameras without opening them.
    """

    def __init__(
        self,
        first: Reconnecting,
        open_camera: Callable[[Camera], Reconnecting],
        notify: Notify,
        connected: Callable[[], list[Camera]] = list_cameras,
    ) -> None:
        self._source, self._open = first, open_camera
        self._notify, self._connected = notify, connected
        self._stopped, self._wanted = threading.Event(), threading.Event()
        self._first_index = self._next_index = self._earlier_losses = 0

    @property
    def name(self) -> str:
        """The present camera's name."""
        return self._source.name

    @property
    def nominal_fps(self) -> float:
        """The frame rate that the present camera announces; 0: unknown."""
        return self._source.nominal_fps

    @property
    def fps(self) -> float:
        """The measured rate of the present camera's recent frames."""
        return self._source.fps

    @property
    def warnings(self) -> list[str]:
        """The present camera's warnings, one line each."""
        return self._source.warnings

    @property
    def lost(self) -> str:
        """Why the present camera is lost now; empty while frames arrive."""
        return self._source.lost

    @property
    def losses(self) -> int:
        """How often a camera was lost."""
        return self._earlier_losses + self._source.losses

    def next_camera(self) -> None:
        """Ask for the next connected camera; may be called from any thread and returns at once."""
        if all(str(camera) == self.name for camera in self._connected()):
            return self._notify("there is no other camera")
        source = self._source  # before the flag is set: afterwards it may already be the next one
        self._wanted.set()
        source.stop()

    def read(self) -> CapturedFrame | None:
        """Wait for the next frame of the present camera; None at its end or after `stop`.

        Raises:
            UserError: it did not come back in time, or no camera can be opened.
        """
        while not self._stopped.is_set():
            if self._wanted.is_set():
                self._wanted.clear()
                self._change()
                continue
            captured = self._source.read()
            if captured is not None:
                self._next_index = self._first_index + captured.index + 1
                return CapturedFrame(captured.image_bgr, self._next_index - 1, captured.captured_s)
            if not self._wanted.is_set():
                return None
        return None

    def _change(self) -> None:
        """Close the present camera and open the next one that works, at last the present one again."""
        cameras, name = self._connected(), self.name
        at = next((n for n, camera in enumerate(cameras) if str(camera) == name), -1)
        self._source.close()
        failure = UserError(f"{name}: is not connected, and no other camera is")
        for camera in cameras[at + 1 :] + cameras[: at + 1]:
            try:
                source = self._open(camera)
            except UserError as error:
                self._notify(str(error))
                failure = error
                continue
            self._earlier_losses += self._source.losses
            self._source, self._first_index = source, self._next_index
            for line in (f"camera {source.name}", *source.warnings):
                self._notify(line)
            return
        raise failure

    def stop(self) -> None:
        """Make `read` return soon; may be called from any thread."""
        self._stopped.set()
        self._source.stop()

    def close(self) -> None:
        """Release the camera; no thread may be reading."""
        self.stop()
        self._source.close()
