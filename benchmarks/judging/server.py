"""Serves the judge's page on this machine alone, under an address that holds a secret."""

from __future__ import annotations

import json
import secrets
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from benchmarks.judging.session import Session

_HOST = "127.0.0.1"
_PAGE = Path(__file__).with_name("page.html")
_LONGEST_BODY = 4096  # bytes
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; connect-src 'self'; "
    "style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class JudgeServer(ThreadingHTTPServer):
    """A web server with the page of one session, at a free port. `serve_forever` ends when the judge quits.

    It answers only requests whose path begins with the secret and that name its own address as host, so
    that no page of another site can reach it, not even by a name that resolves to this machine.

    Args:
        session: what the page asks.

    Attributes:
        address: of the page.
    """

    def __init__(self, session: Session) -> None:
        super().__init__((_HOST, 0), _Handler)
        self.session, self.secret = session, secrets.token_urlsafe(16)
        self.host = f"{_HOST}:{self.server_port}"
        self.address = f"http://{self.host}/{self.secret}/"


class _Handler(BaseHTTPRequestHandler):
    """Answers the page's requests."""

    timeout = 60  # seconds without a byte, after which a connection is closed
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Send the page, the state, or a picture."""
        match self._path():
            case [""]:
                self._send(_PAGE.read_bytes(), "text/html; charset=utf-8")
            case ["state"]:
                self._send_json(self._judge.session.state())
            case ["picture", number, question] if number.isascii() and number.isdigit():
                picture = self._judge.session.picture(int(number), question)
                if picture is None:
                    self._refuse(HTTPStatus.NOT_FOUND)
                else:
                    self._send(picture, "image/png")
            case None:
                self._refuse(HTTPStatus.FORBIDDEN)
            case _:
                self._refuse(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        """Take an answer, take one back, or end the session."""
        session = self._judge.session
        body = self._body()  # read in any case: the next request follows it on the connection
        match self._path():
            case ["answer"]:
                answer = _answer_in(body)
                if answer is None:
                    self._refuse(HTTPStatus.BAD_REQUEST)
                else:
                    self._send_json(session.answer(*answer))
            case ["undo"]:
                self._send_json(session.take_back())
            case ["quit"]:
                self._send_json({"quit": True})
                self._judge.shutdown()
            case None:
                self._refuse(HTTPStatus.FORBIDDEN)
            case _:
                self._refuse(HTTPStatus.NOT_FOUND)

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing: the terminal shows the address and the figures."""

    @property
    def _judge(self) -> JudgeServer:
        assert isinstance(self.server, JudgeServer)
        return self.server

    def _path(self) -> list[str] | None:
        """The parts of the path after the secret; None where the secret or the host is wrong."""
        secret, _, rest = self.path.removeprefix("/").partition("/")
        is_ours = self.headers.get_all("Host") == [self._judge.host]
        if not is_ours or not secrets.compare_digest(secret.encode(), self._judge.secret.encode()):
            return None
        return rest.split("/")

    def _body(self) -> bytes:
        """Read the request's body; one that is too long is left, and the connection closed."""
        length = self.headers.get("Content-Length", "0")
        if not (length.isascii() and length.isdigit()) or int(length) > _LONGEST_BODY:
            self.close_connection = True
            return b""
        return self.rfile.read(int(length))

    def _send_json(self, values: dict[str, object]) -> None:
        self._send(json.dumps(values).encode(), "application/json")

    def _refuse(self, status: HTTPStatus) -> None:
        self.close_connection = True
        self._send(status.phrase.encode(), "text/plain; charset=utf-8", status)

    def _send(self, body: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _answer_in(body: bytes) -> tuple[int, str, list[str]] | None:
    """Read an answer: number of the face, question, answers; None where it is none."""
    try:
        said = json.loads(body)
        number, question, answers = said["number"], said["question"], said["answers"]
        return int(number), str(question), [str(answer) for answer in answers]
    except (ValueError, TypeError, KeyError):
        return None
