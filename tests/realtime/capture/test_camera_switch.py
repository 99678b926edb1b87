"""Changing to the next camera while frames are read."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from inpaint_model.errors import UserError
from realtime.capture import Camera, CameraSwitch, CaptureLost, Reconnecting
from tests.realtime.making_live import FakeCamera, plugged

CAMERAS = [Camera(0, "Fake", "/dev/video0", 200), Camera(2, "Second", "/dev/video2", 200)]
FOREVER = 1_000_000  # frames: more than any test takes


def switch(
    notify: Callable[[str], None],
    opened: dict[int, FakeCamera | None],
    first: FakeCamera | None = None,
) -> CameraSwitch:
    """A source that begins with camera 0, and finds the cameras of `opened`; None cannot be opened."""

    def open_camera(camera: Camera) -> Reconnecting:
        source = opened[camera.index]
        if source is not None:
            source.name = str(camera)
        return Reconnecting(plugged(source), notify)

    beginning = Reconnecting(plugged(first or FakeCamera(FOREVER)), notify)
    connected = [camera for camera in CAMERAS if camera.index in opened]
    return CameraSwitch(beginning, open_camera, notify, lambda: connected)


def read_indices(source: CameraSwitch, count: int) -> list[int]:
    frames = [source.read() for _ in range(count)]
    return [frame.index for frame in frames if frame is not None]


def test_next_camera_counts_on_and_closes_the_first() -> None:
    told: list[str] = []
    first, second = FakeCamera(FOREVER), FakeCamera(FOREVER)
    source = switch(told.append, {0: None, 2: second}, first)
    assert read_indices(source, 3) == [0, 1, 2]
    source.next_camera()
    assert read_indices(source, 3) == [3, 4, 5]
    assert (source.name, told) == (str(CAMERAS[1]), [f"camera {CAMERAS[1]}"])
    assert first.closed
    source.close()
    assert second.closed


def test_next_camera_after_the_last_is_the_first() -> None:
    source = switch(print, {0: FakeCamera(FOREVER), 2: FakeCamera(FOREVER)})
    for name in (str(CAMERAS[1]), str(CAMERAS[0])):
        source.next_camera()
        read_indices(source, 1)
        assert source.name == name
    source.close()


def test_next_camera_that_fails_leaves_the_first() -> None:
    told: list[str] = []
    source = switch(told.append, {0: FakeCamera(FOREVER), 2: None})
    source.next_camera()
    assert read_indices(source, 2) == [0, 1]
    assert told == ["is not connected", f"camera {CAMERAS[0]}"]
    source.close()


def test_next_camera_alone_goes_on_undisturbed() -> None:
    told: list[str] = []
    first = FakeCamera(FOREVER)
    source = switch(told.append, {0: None}, first)
    source.next_camera()
    assert read_indices(source, 2) == [0, 1]
    assert told == ["there is no other camera"]
    assert not first.closed
    source.close()


def test_next_camera_leaves_a_lost_one() -> None:
    told: list[str] = []

    def change_when_lost(line: str) -> None:
        told.append(line)
        if "waiting" in line:
            source.next_camera()

    lost = FakeCamera(2, CaptureLost("unplugged"))
    source = switch(change_when_lost, {2: FakeCamera(FOREVER)}, lost)
    assert read_indices(source, 2) == [0, 1]
    assert read_indices(source, 1) == [2]
    assert (source.lost, source.losses) == ("", 1)
    assert told[-1] == f"camera {CAMERAS[1]}"
    source.close()


def test_next_camera_none_opens_ends_with_the_error() -> None:
    source = switch(print, {0: None, 2: None})
    source.next_camera()
    with pytest.raises(UserError, match="is not connected"):
        source.read()
    source.close()


def test_camera_switch_stop_ends_reading() -> None:
    source = switch(print, {0: None, 2: FakeCamera(FOREVER)})
    source.next_camera()
    source.stop()
    assert source.read() is None
    source.close()
