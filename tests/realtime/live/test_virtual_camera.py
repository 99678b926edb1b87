"""The virtual camera, with a stand-in for the package and the device."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.live import virtual_camera
from realtime.live.view import Preview, View
from tests.realtime.live.making_previews import LEFT_BGR, RIGHT_BGR, processed_frame


class FakeDevice:
    """Stands in for `pyvirtualcam.Camera`."""

    def __init__(self, width: int, height: int, fps: float, fmt: str) -> None:
        self.width, self.height, self.fps = width, height, fps
        self.sent: list[NDArray[np.uint8]] = []

    def send(self, frame: NDArray[np.uint8]) -> None:
        self.sent.append(frame)

    def close(self) -> None:
        pass


@pytest.fixture
def devices(monkeypatch: pytest.MonkeyPatch) -> list[FakeDevice]:
    """The devices that are opened."""
    opened: list[FakeDevice] = []

    def open_device(*size: int, fmt: str) -> FakeDevice:
        opened.append(FakeDevice(*size, fmt=fmt))
        return opened[-1]

    package = SimpleNamespace(Camera=open_device, PixelFormat=SimpleNamespace(BGR="BGR"))
    monkeypatch.setitem(sys.modules, "pyvirtualcam", package)
    monkeypatch.setattr(virtual_camera, "check_virtual_camera", lambda: None)
    return opened


def test_virtual_camera_sends_the_plain_picture(devices: list[FakeDevice]) -> None:
    sink = virtual_camera.VirtualCamera(30.0)
    view = View(mirror=True, side_by_side=True, boxes=True, badge=False)
    sink.show(Preview(processed_frame(), view))
    (device,) = devices
    assert (device.width, device.height, device.fps) == (640, 480, 30.0)
    np.testing.assert_array_equal(device.sent[0], processed_frame().result.frame)


def test_virtual_camera_fits_another_size_without_distortion(devices: list[FakeDevice]) -> None:
    sink = virtual_camera.VirtualCamera(0)
    sink.show(Preview(processed_frame(640, 480)))
    sink.show(Preview(processed_frame(360, 640), View(badge=False)))
    sent = devices[0].sent[1]
    assert sent.shape == (480, 640, 3)
    columns = np.flatnonzero(sent.any((0, 2)))
    assert (columns.min(), columns.max()) == (185, 454)
    assert sent[10, 190].tolist() == list(LEFT_BGR)
    assert sent[10, 450].tolist() == list(RIGHT_BGR)
