"""Live sources: network cameras, error messages, reconnecting."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks.robustness.good_files import good_stream
from benchmarks.robustness.hostile_servers import hostile_server
from inpaint_model.errors import LostError, UserError
from inpaint_model.limits import Limits
from realtime.capture import Camera, CaptureLost, Reconnecting, open_capture
from realtime.capture.devices import find_camera
from realtime.capture.network_stream import NetworkStream
from tests.realtime.making_live import FakeCamera, FakeClock, network_camera, plugged
from tests.realtime.making_media import moving_images, write_video

pytestmark = pytest.mark.usefixtures("quick_retries")
CAMERAS = [
    Camera(0, "Built-in", "/dev/video0", 200),
    Camera(2, "Logitech C920", "/dev/video2", 200),
    Camera(4, "Logitech Brio", "/dev/video4", 200),
]


@pytest.mark.parametrize(
    ("wanted", "index"),
    [("2", 2), ("c920", 2), ("logitech brio", 4), ("/dev/video0", 0), ("Built", 0)],
)
def test_find_camera_by_index_name_or_path(wanted: str, index: int) -> None:
    assert find_camera(wanted, CAMERAS).index == index


def test_find_camera_unknown_lists_the_connected_ones() -> None:
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
def test_open_capture_wrong_source_is_named(source: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        open_capture(source)
    assert "secret" not in str(caught.value)


def test_network_camera_comes_back_after_unplugging() -> None:
    told: list[str] = []
    with network_camera() as camera:
        source = open_capture(camera.url, notify=told.append)
        frames = [source.read() for _ in range(5)]
        assert all(frame is not None and frame.image_bgr.shape == (48, 64, 3) for frame in frames)
        camera.unplug()
        threading.Timer(0.2, camera.plug_in).start()
        more = [source.read() for _ in range(195)]
        source.close()
    assert source.losses == 1
    indices = [frame.index for frame in frames + more if frame is not None]
    assert indices == list(range(200))
    assert "gives no frames" in told[0] or "has ended" in told[0]
    assert "waiting for it to come back" in told[0]
    assert told[1] == f"{camera.url}: is back"


@pytest.mark.parametrize(
    ("path", "message"), [("page.html", "is not a video stream"), ("absent", "404 Not Found")]
)
def test_network_answer_without_video_is_refused(path: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<p>A page about cameras.</p>" * 100)
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,)).start()
        with pytest.raises(UserError, match=message):
            NetworkStream(f"http://127.0.0.1:{server.server_port}/{path}")
        server.shutdown()


def test_playlist_on_the_network_does_not_lead_to_a_file(tmp_path: Path) -> None:
    private = write_video(tmp_path / "private.ts", moving_images(5))
    text = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{private.as_uri()}\n#EXT-X-ENDLIST\n"
    (tmp_path / "list.m3u8").write_text(text)
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,)).start()
        address = f"http://127.0.0.1:{server.server_port}"
        NetworkStream(f"{address}/{private.name}").close()  # there is nothing else to refuse
        with pytest.raises(UserError, match="is not a video stream"):
            NetworkStream(f"{address}/list.m3u8")
        server.shutdown()


def test_network_recording_is_paced_and_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = [512 if index in (3, 7) else 256 for index in range(12)]
    clip = write_video(tmp_path / "clip.mkv", moving_images(12), steps=steps)
    clock = FakeClock()
    monkeypatch.setattr("realtime.capture.network_stream.time", clock)
    handler = partial(SimpleHTTPRequestHandler, directory=str(clip.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,)).start()
        stream = NetworkStream(f"http://127.0.0.1:{server.server_port}/{clip.name}")
        times_s = [frame.captured_s for frame in iter(stream.read, None) if frame is not None]
        stream.close()
        server.shutdown()
    expected_s = [step / 12_800 for step in steps[:-1]]
    assert [b - a for a, b in pairwise(times_s)] == pytest.approx(expected_s, abs=2e-3)


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Addresses of a server that misbehaves, by the names of what it does."""
    with hostile_server(good_stream(tmp_path_factory.mktemp("hostile"))) as found:
        yield {address.rpartition("/")[2]: address for address in found}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("redirect-to-itself", "cannot be opened"),
        ("redirect-to-file", "is not an address of a stream"),
        ("redirect-to-nothing", "is not an address of a stream"),
        ("playlist-of-file.m3u8", "is not a video stream"),
        ("playlist-of-nothing.m3u8", "is not a video stream"),
        ("rtsp-silent-at-describe", "does not answer within 1 s"),
    ],
)
def test_misbehaving_server_is_refused_in_one_line(
    name: str, message: str, addresses: dict[str, str]
) -> None:
    with pytest.raises((UserError, CaptureLost), match=message):
        NetworkStream(addresses[name], Limits(open_s=1, silent_s=1))


@pytest.mark.parametrize("name", ["playlist-of-itself.m3u8", "playlist-endless.m3u8"])
def test_playlist_that_never_ends_is_given_up_in_time(name: str, addresses: dict[str, str]) -> None:
    errors = list[str]()

    def open_stream() -> None:
        try:
            NetworkStream(addresses[name], Limits(open_s=1, silent_s=1))
        except CaptureLost as error:
            errors.append(str(error))

    opening = threading.Thread(target=open_stream, daemon=True)
    opening.start()
    opening.join(30)
    assert errors == ["does not answer within 1 s"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("camera-then-silence", "gives no frames for 1 s"),
        ("rtsp-plays-nothing", "gives no frames for 1 s"),
        ("rtsp-noise", "gives nothing that can be decoded for 1 s"),
    ],
)
def test_stream_without_frames_is_lost(name: str, message: str, addresses: dict[str, str]) -> None:
    stream = NetworkStream(addresses[name], Limits(open_s=1, silent_s=1))
    with pytest.raises(CaptureLost, match=message):
        for _ in range(100):
            stream.read()
    stream.close()


def test_address_that_is_none_is_refused() -> None:
    with pytest.raises(UserError, match="is not an address of a stream"):
        open_capture("http://[::1")


def test_camera_frames_over_the_limit_are_not_decoded() -> None:
    with network_camera() as camera:
        stream = NetworkStream(camera.url, Limits(frame_mb=0, open_s=1))
        with pytest.raises(CaptureLost, match="gives no frames"):
            stream.read()
        stream.close()


def test_reconnecting_gives_up_on_a_source_without_frames() -> None:
    def mute() -> FakeCamera:
        return FakeCamera(0, CaptureLost("gives no frames"))

    source = Reconnecting(plugged(FakeCamera(1, CaptureLost("lost"))), lambda _: None, 0.6)
    source._open = mute
    source.read()
    with pytest.raises(LostError, match="gives no frames; not back after 1 s"):
        source.read()


def test_reconnecting_opens_a_lost_camera_again() -> None:
    told: list[str] = []
    lost = CaptureLost("gives no frames; is it unplugged?")
    first, second = FakeCamera(3, lost), FakeCamera(2)
    source = Reconnecting(plugged(first, None, second), told.append)
    indices = [frame.index for frame in iter(source.read, None) if frame is not None]
    assert indices == [0, 1, 2, 3, 4]
    assert first.closed and not second.closed
    assert [line.split(": ", 2)[2] for line in told] == [
        "gives no frames; is it unplugged?; waiting for it to come back",
        "is back",
    ]
    source.close()
    assert second.closed


def test_reconnecting_gives_up_after_its_timeout() -> None:
    def gone() -> FakeCamera:
        raise CaptureLost("is not connected")

    source = Reconnecting(plugged(FakeCamera(1, CaptureLost("lost"))), lambda _: None, 0.0)
    source._open = gone
    source.read()
    with pytest.raises(UserError, match="lost; not back after 0 s"):
        source.read()


def test_reconnecting_stop_ends_the_wait() -> None:
    def gone() -> FakeCamera:
        raise CaptureLost("is not connected")

    source = Reconnecting(plugged(FakeCamera(0, CaptureLost("lost"))), lambda _: None)
    source._open = gone
    threading.Timer(0.2, source.stop).start()
    assert source.read() is None
