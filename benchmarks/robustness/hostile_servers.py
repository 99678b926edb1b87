"""A server on this machine that misbehaves as the path of an address says: HTTP, HLS, MJPEG and RTSP."""

from __future__ import annotations

import multiprocessing
import random
import socketserver
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_LAST_S = 60.0  # a server that never answers ends with this
_BOUNDARY = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"
_SDP = (
    b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\na=control:*\r\nm=video 0 RTP/AVP %d\r\n"
    b"a=rtpmap:%d %s/%d\r\na=control:track1\r\n"
)
_PLAYLIST = b"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:%d\n#EXTINF:%d,\n%s\n"


class Misbehaviour(socketserver.StreamRequestHandler):
    """Answers one connection. The path's first word is the name of a behaviour.

    A server has the attributes `video` and `picture`, the bytes of a good transport stream and JPEG file.
    """

    def handle(self) -> None:
        """Read the first line, and do what its path says."""
        try:
            words = self.rfile.readline(4096).split()
            path = words[1].decode("latin-1") if len(words) > 1 else "/silence"
            name = path.split("://")[-1].partition("/")[2].split("/")[0]
            if words[:1] and words[0] in (b"OPTIONS", b"DESCRIBE"):
                self._rtsp(name, words[0])
            elif name in HTTP:
                self._skip_headers()
                HTTP[name](self)
            else:
                self.send(b"HTTP/1.0 404 Not Found\r\n\r\n")
        except (OSError, IndexError, ValueError):  # the client has gone
            return

    def send(self, data: bytes) -> None:
        """Send bytes at once."""
        self.wfile.write(data)
        self.wfile.flush()

    def answer(self, kind: str, body: bytes = b"", length: int | None = None) -> None:
        """Send a good header and a body."""
        size = b"" if length is None else b"Content-Length: %d\r\n" % length
        self.send(b"HTTP/1.0 200 OK\r\nContent-Type: %s\r\n%s\r\n" % (kind.encode(), size) + body)

    def noise(self, seed: int) -> Iterator[bytes]:
        """Yield random bytes for a while."""
        rng, end_s = random.Random(seed), time.monotonic() + _LAST_S
        while time.monotonic() < end_s:
            yield rng.randbytes(1400)
            time.sleep(0.01)

    def frames(self, pictures: Iterator[bytes]) -> None:
        """Send pictures as an MJPEG camera does."""
        self.answer("multipart/x-mixed-replace; boundary=frame")
        for picture in pictures:
            self.send(_BOUNDARY % len(picture) + picture + b"\r\n")
            time.sleep(0.03)

    def _skip_headers(self) -> None:
        while self.rfile.readline(4096).strip():
            pass

    def _rtsp(self, name: str, method: bytes) -> None:
        """Answer the requests of RTSP as far as the behaviour goes; then send what it says, or nothing."""
        while method:
            sequence, request = b"0", self.rfile.readline(4096)
            while request.strip():
                if request.lower().startswith(b"cseq:"):
                    sequence = request.split(b":")[1].strip()
                request = self.rfile.readline(4096)
            if name == f"rtsp-silent-at-{method.decode().lower()}":
                return time.sleep(_LAST_S)
            self._answer_rtsp(name, method, sequence)
            if method == b"PLAY":
                return self._play(name)
            method = self.rfile.readline(4096).split(b" ")[0]

    def _answer_rtsp(self, name: str, method: bytes, sequence: bytes) -> None:
        head = b"RTSP/1.0 200 OK\r\nCSeq: %s\r\n" % sequence
        if method == b"DESCRIBE":
            sdp = _SDP % (96, 96, b"H264", 90000)
            if name == "rtsp-absurd-sdp":
                sdp = _SDP % (96, 96, b"H264" * 500, 0) + b"m=video 0 RTP/AVP 96\r\n" * 3000
            if name == "rtsp-jpeg":
                sdp = _SDP % (26, 26, b"JPEG", 90000)
            head += b"Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n" % len(sdp)
            return self.send(head + sdp)
        extra = b"Public: OPTIONS, DESCRIBE, SETUP, PLAY\r\n" if method == b"OPTIONS" else b""
        if method == b"SETUP":
            extra = b"Session: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
        if method == b"PLAY":
            extra = b"Session: 1\r\n"
        self.send(head + extra + b"\r\n")

    def _play(self, name: str) -> None:
        if name not in ("rtsp-noise", "rtsp-jpeg"):
            return time.sleep(_LAST_S)
        kind = 26 if name == "rtsp-jpeg" else 96
        for number, data in enumerate(self.noise(number_of(name))):
            packet = bytes([0x80, kind | 0x80]) + number.to_bytes(2, "big") + bytes(8) + data
            self.send(b"$\0" + len(packet).to_bytes(2, "big") + packet)


def number_of(name: str) -> int:
    """A seed that is the same for the same name."""
    return sum(name.encode())


def _video(handler: Misbehaviour) -> bytes:
    return handler.server.video  # pyright: ignore[reportAttributeAccessIssue]


def _picture(handler: Misbehaviour) -> bytes:
    return handler.server.picture  # pyright: ignore[reportAttributeAccessIssue]


def _good_pictures(handler: Misbehaviour, count: int) -> Iterator[bytes]:
    yield from [_picture(handler)] * count


def _damaged_pictures(handler: Misbehaviour) -> Iterator[bytes]:
    rng, good = random.Random(0), _picture(handler)
    for _ in range(300):
        damaged = bytearray(good)
        for _ in range(rng.choice((1, 20, 400))):
            damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        yield bytes(damaged)


def _giant_pictures(handler: Misbehaviour) -> Iterator[bytes]:
    good = _picture(handler)
    at = good.index(b"\xff\xc0") + 5
    for side in (16_000, 32_000, 65_500):
        sides = side.to_bytes(2, "big") * 2
        yield from [good[:at] + sides + good[at + 4 :]] * 20


def _playlist(handler: Misbehaviour, name: bytes, seconds: int = 2, end: bytes = b"") -> None:
    handler.answer("application/vnd.apple.mpegurl", _PLAYLIST % (seconds, seconds, name) + end)


def _endless_playlist(handler: Misbehaviour) -> None:
    handler.answer("application/vnd.apple.mpegurl", _PLAYLIST % (2, 2, b"good.ts"))
    end_s = time.monotonic() + _LAST_S
    while time.monotonic() < end_s:
        handler.send(b"#EXTINF:2,\ngood.ts\n" * 100)


def _trickle(handler: Misbehaviour) -> None:
    for byte in b"HTTP/1.0 200 OK\r\nX: " + b"x" * 600:
        handler.send(bytes([byte]))
        time.sleep(0.2)


def _endless_headers(handler: Misbehaviour) -> None:
    handler.send(b"HTTP/1.0 200 OK\r\n")
    end_s = time.monotonic() + _LAST_S
    while time.monotonic() < end_s:
        handler.send(b"X-Header: value\r\n" * 100)


def _redirect(handler: Misbehaviour, where: bytes) -> None:
    handler.send(b"HTTP/1.0 302 Found\r\nLocation: %s\r\n\r\n" % where)


def _noise(handler: Misbehaviour) -> None:
    handler.answer("video/mp2t")
    for data in handler.noise(1):
        handler.send(data)


def _then_silence(handler: Misbehaviour) -> None:
    handler.answer("video/mp2t", _video(handler)[: len(_video(handler)) // 2])
    time.sleep(_LAST_S)


def _camera_then_silence(handler: Misbehaviour) -> None:
    handler.frames(_good_pictures(handler, 30))
    time.sleep(_LAST_S)


HTTP: dict[str, Callable[[Misbehaviour], object]] = {
    "silence": lambda handler: time.sleep(_LAST_S),
    "close": lambda handler: None,
    "trickle": _trickle,
    "endless-headers": _endless_headers,
    "redirect-to-itself": lambda handler: _redirect(handler, b"/redirect-to-itself"),
    "redirect-to-file": lambda handler: _redirect(handler, b"file:///etc/passwd"),
    "redirect-to-nothing": lambda handler: _redirect(handler, b"http://[::1"),
    "noise": _noise,
    "then-silence": _then_silence,
    "cut": lambda handler: handler.answer("video/mp2t", _video(handler)[:1000], 10**6),
    "refused": lambda handler: handler.send(b"HTTP/1.0 401 Unauthorized\r\n\r\n"),
    "broken": lambda handler: handler.send(b"HTTP/1.0 500 Internal Server Error\r\n\r\n"),
    "absurd-length": lambda handler: handler.answer("video/mp2t", b"x", 2**63),
    "good.ts": lambda handler: handler.answer("video/mp2t", _video(handler), len(_video(handler))),
    "camera-then-silence": _camera_then_silence,
    "camera-damaged": lambda handler: handler.frames(_damaged_pictures(handler)),
    "camera-giant": lambda handler: handler.frames(_giant_pictures(handler)),
    "camera-cut": lambda handler: handler.frames(_good_pictures(handler, 5)),
    "playlist-of-file.m3u8": lambda handler: _playlist(handler, b"file:///etc/passwd"),
    "playlist-of-itself.m3u8": lambda handler: _playlist(handler, b"playlist-of-itself.m3u8"),
    "playlist-without-end.m3u8": lambda handler: _playlist(handler, b"good.ts", 0),
    "playlist-endless.m3u8": _endless_playlist,
    "playlist-of-nothing.m3u8": lambda handler: _playlist(handler, b"absent", 2, b"#EXT-X-ENDLIST"),
    "playlist-good.m3u8": lambda handler: _playlist(handler, b"good.ts", 1, b"#EXT-X-ENDLIST"),
}
RTSP = (
    *("rtsp-silent-at-options", "rtsp-silent-at-describe", "rtsp-silent-at-setup"),
    *("rtsp-silent-at-play", "rtsp-plays-nothing", "rtsp-noise", "rtsp-jpeg", "rtsp-absurd-sdp"),
)
ADDRESSES = ("http://[::1", "http://", "rtsp://:::::/", "http://127.0.0.1:99999/x", "http://%00/")
"""No server is needed for these."""


@contextmanager
def hostile_server(good: Path) -> Iterator[list[str]]:
    """Run the server while the context is entered; give the addresses of all that it does.

    Args:
        good: the folder of `good_files`.
    """
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Misbehaviour)
    server.daemon_threads, server.block_on_close = True, False
    server.video = (good / "a.ts").read_bytes()  # pyright: ignore[reportAttributeAccessIssue]
    server.picture = (good / "p.jpg").read_bytes()  # pyright: ignore[reportAttributeAccessIssue]
    host = f"127.0.0.1:{server.server_address[1]}"
    # A process of its own: the benchmark forks, which it may not do while it has threads.
    process = multiprocessing.get_context("fork").Process(
        target=server.serve_forever, args=(0.05,), daemon=True
    )
    process.start()
    server.server_close()
    try:
        yield [
            *(f"http://{host}/{name}" for name in HTTP),
            *(f"rtsp://{host}/{name}" for name in RTSP),
            *ADDRESSES,
        ]
    finally:
        process.kill()
        process.join()
