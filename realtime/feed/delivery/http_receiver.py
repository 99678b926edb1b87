"""Posts batches of lines to an HTTP server."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import ssl
import time
from collections.abc import Sequence
from email.utils import parsedate_to_datetime

from realtime.feed.delivery.address import Address
from realtime.feed.delivery.receiver import Away, Refused, WaitingLine, absence
from realtime.settings import DeliverySettings

CONTENT_TYPE = "application/x-ndjson"
_MOST_ANSWER_BYTES = 65536  # that are read; nobody looks at them
_AGENT = "unmask-video"
_TRY_AGAIN = (408, 425, 429)  # the answers below 500 after which the same request may succeed


class HttpReceiver:
    """An HTTP server that takes POST requests.

    The body is newline-delimited JSON, one record a line: the same text as in a file, which a server can
    read line by line. `Idempotency-Key` is a hash of the batch's events and keys; a batch that is sent
    again, also by the next process, has the same one. An answer 2xx means that every line of the batch is
    delivered. A redirection is not followed: the feed shows faces and goes nowhere else than it was told.

    Args:
        address: of the server.
        settings: how long an answer is waited for.
    """

    gather_s = 0.2

    def __init__(self, address: Address, settings: DeliverySettings) -> None:
        self.delivered = 0
        self.batch_lines = settings.batch_lines
        self._path = address.path
        self._headers = {
            "Content-Type": CONTENT_TYPE,
            "User-Agent": _AGENT,
            **_authorization(address),
        }
        if address.scheme == "https":
            self._connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                address.host,
                address.port,
                timeout=settings.timeout_s,
                context=ssl.create_default_context(),
            )
        else:
            self._connection = http.client.HTTPConnection(
                address.host, address.port, timeout=settings.timeout_s
            )

    def connect(self) -> None:
        """Do nothing: a connection is made with the first batch and kept."""

    def send(self, batch: Sequence[WaitingLine]) -> None:
        """Post the lines.

        Raises:
            Away: no connection or no answer in time, 408, 425, 429 or 5xx.
            Refused: any other answer but 2xx.
        """
        body = b"".join(line.text + b"\n" for line in batch)
        keys = "\n".join(f"{line.event} {line.key}" for line in batch)
        digest = hashlib.sha256(keys.encode()).hexdigest()
        headers = {**self._headers, "Idempotency-Key": digest}
        was_connected = self._connection.sock is not None
        try:
            response = self._post(body, headers)
        except (OSError, http.client.HTTPException) as error:
            # A server may close a connection that was idle: the first failure on it says nothing.
            if not was_connected or isinstance(error, TimeoutError):
                raise absence(error) from None
            try:
                response = self._post(body, headers)
            except (OSError, http.client.HTTPException) as again:
                raise absence(again) from None
        if 200 <= response.status < 300:
            self.delivered = batch[-1].number
            return
        answer = f"{response.status} {response.reason}".strip()
        if response.status >= 500 or response.status in _TRY_AGAIN:
            raise Away(f"answers {answer}", _seconds_to_wait(response.getheader("Retry-After")))
        raise Refused(f"answers {answer}")

    def poll(self) -> None:
        """Do nothing: an answer came for everything that was sent."""

    def finish(self) -> None:
        """Do nothing, for the same reason."""

    def close(self) -> None:
        """Close the connection."""
        with contextlib.suppress(OSError):
            self._connection.close()

    def _post(self, body: bytes, headers: dict[str, str]) -> http.client.HTTPResponse:
        try:
            self._connection.request("POST", self._path, body, headers)
            response = self._connection.getresponse()
            if len(response.read(_MOST_ANSWER_BYTES)) == _MOST_ANSWER_BYTES:
                self._connection.close()  # an answer read to its end leaves the connection usable
            return response
        except BaseException:
            self._connection.close()
            raise


def _authorization(address: Address) -> dict[str, str]:
    if address.token is not None:
        return {"Authorization": f"Bearer {address.token}"}
    if address.user is None:
        return {}
    credentials = f"{address.user}:{address.password or ''}".encode()
    return {"Authorization": "Basic " + base64.b64encode(credentials).decode()}


def _seconds_to_wait(retry_after: str | None) -> float | None:
    """Read the header Retry-After: seconds or a date."""
    if retry_after is None:
        return None
    if retry_after.strip().isdigit():
        return float(retry_after)
    try:
        return max(parsedate_to_datetime(retry_after).timestamp() - time.time(), 0.0)
    except ValueError:
        return None
