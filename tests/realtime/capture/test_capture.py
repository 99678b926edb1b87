"""Live sources: files at their own pace, network cameras, what is said of missing ones, coming back."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from inpaint_model.errors import UserError
from realtime.capture import Camera, CaptureLost, CaptureOptions, Reconnecting, open_capture
from realtime.capture.devices import find_camera
from realtime.capture.network_stream import NetworkStream
from realtime.capture.paced_file import PacedFile
from tests.realtime.making_live import FakeCamera, network_camera, plugged
from tests.realtime.making_media import moving_images, write_video

CAMERAS = [
    Camera(0, "Built-in", "/dev/video0", 200),
    Camera(2, "Logitech C920", "/dev/video2", 200),
    Camera(4, "Logitech Brio", "/dev/video4", 200),
]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a second at 50 frames a second, two frames shown twice as long."""
    folder = tmp_path_factory.mktemp("capture")
    steps = [512 if n in (3, 7) else 256 for n in range(23)]
    return write_video(folder / "clip.mp4", moving_images(23), steps=steps)


def test_a_file_plays_at_its_own_pace(clip: Path) -> None:
    source = PacedFile(clip)
    shots = [shot for shot in iter(source.read, None) if shot is not None]
    source.close()
    assert [shot.index for shot in shots] == list(range(23))
    due_s = [shot.captured_s - shots[0].captured_s for shot in shots]
    assert due_s[:6] == pytest.approx([0, 0.02, 0.04, 0.06, 0.1, 0.12], abs=1e-3)
    assert time.perf_counter() - shots[0].captured_s >= due_s[-1] > 0.45


def test_who_reads_too_slowly_misses_frames_as_with_a_camera(clip: Path) -> None:
    source = PacedFile(clip)
    indices = []
    while (shot := source.read()) is not None:
        assert time.perf_counter() - shot.captured_s < 0.1
        indices.append(shot.index)
        time.sleep(0.09)
    source.close()
    assert indices[0] == 0
    assert 3 <= len(indices) < 12


def test_a_file_that_cannot_be_read_fast_enough_still_gives_frames(clip: Path) -> None:
    source = PacedFile(clip, fps=1e6, loop=True)
    indices = []
    for _ in range(3):
        shot = source.read()
        assert shot is not None
        indices.append(shot.index)
        time.sleep(0.01)
    source.close()
    assert indices[0] < indices[1] < indices[2]


def test_a_file_goes_on_from_its_beginning(clip: Path) -> None:
    source = PacedFile(clip, fps=400, loop=True)
    last = -1
    for _ in range(40):
        shot = source.read()
        assert shot is not None and shot.index > last
        last = shot.index
    source.close()


@pytest.mark.parametrize(
    ("wanted", "index"),
    [("2", 2), ("c920", 2), ("logitech brio", 4), ("/dev/video0", 0), ("Built", 0)],
)
def test_a_camera_is_found_by_index_name_and_path(wanted: str, index: int) -> None:
    assert find_camera(wanted, CAMERAS).index == index


def test_a_wrong_camera_names_those_that_exist() -> None:
    with pytest.raises(UserError, match=r"no camera 7; there are 0: Built-in \(/dev/video0\); 2: "):
        find_camera("7", CAMERAS)
    with pytest.raises(UserError, match=r"several cameras match logitech: 2: .*; 4: "):
        find_camera("logitech", CAMERAS)
    with pytest.raises(UserError, match=r"no file and no camera x\.mp4; no camera is connected"):
        find_camera("x.mp4", [])


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("99", "no camera 99; "),
        ("no/such.mp4", "no file and no camera"),
        ("ftp://host/x", "addresses begin with rtsp"),
        ("rtsp://me:secret@127.0.0.1:9/x", r"rtsp://\*\*\*@127.0.0.1:9/x: cannot be opened"),
        ("http://127.0.0.1:9/x", "cannot be opened"),
        (".", "is a folder"),
        (__file__, "not a video"),
    ],
)
def test_a_wrong_source_is_named(source: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        open_capture(source)
    assert "secret" not in str(caught.value)


def test_a_network_camera_is_read_and_comes_back_after_unplugging() -> None:
    told: list[str] = []
    with network_camera() as camera:
        source = open_capture(camera.url, notify=told.append)
        shots = [source.read() for _ in range(5)]
        assert all(shot is not None and shot.image_bgr.shape == (48, 64, 3) for shot in shots)
        camera.unplug()
        threading.Timer(0.7, camera.plug_in).start()
        more = [source.read() for _ in range(195)]
        source.close()
    assert source.losses == 1
    indices = [shot.index for shot in shots + more if shot is not None]
    assert indices == list(range(200))
    assert "gives no frames" in told[0] or "has ended" in told[0]
    assert "waiting for it to come back" in told[0]
    assert told[1] == f"{camera.url}: is back"


def test_an_answer_that_is_no_video_is_refused() -> None:
    with network_camera() as camera, pytest.raises((UserError, CaptureLost)):
        NetworkStream(camera.url.replace("http", "rtsp"))


def test_an_unplugged_camera_is_opened_again() -> None:
    told: list[str] = []
    lost = CaptureLost("gives no frames; is it unplugged?")
    first, second = FakeCamera(3, lost), FakeCamera(2)
    source = Reconnecting(plugged(first, None, second), told.append)
    indices = [shot.index for shot in iter(source.read, None) if shot is not None]
    assert indices == [0, 1, 2, 3, 4]
    assert first.closed and not second.closed
    assert [line.split(": ", 2)[2] for line in told] == [
        "gives no frames; is it unplugged?; waiting for it to come back",
        "is back",
    ]
    source.close()
    assert second.closed


def test_patience_ends() -> None:
    def gone() -> FakeCamera:
        raise CaptureLost("is not connected")

    source = Reconnecting(plugged(FakeCamera(1, CaptureLost("lost"))), lambda _: None, 0.0)
    source._open = gone
    source.read()
    with pytest.raises(UserError, match="lost; not back after 0 s"):
        source.read()


def test_stopping_ends_the_wait_for_a_lost_camera() -> None:
    def gone() -> FakeCamera:
        raise CaptureLost("is not connected")

    source = Reconnecting(plugged(FakeCamera(0, CaptureLost("lost"))), lambda _: None)
    source._open = gone
    threading.Timer(0.2, source.stop).start()
    assert source.read() is None


def test_options_say_what_is_asked_of_a_camera() -> None:
    assert CaptureOptions().size == (640, 480)
