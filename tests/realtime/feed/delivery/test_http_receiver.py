"""POST requests to a real server."""

from __future__ import annotations

import base64
import shutil
import subprocess
from pathlib import Path

import pytest

from realtime.feed.delivery import DeliveryOptions, open_delivery
from realtime.feed.delivery.address import read_address
from realtime.feed.delivery.http_receiver import HttpReceiver
from realtime.feed.delivery.receiver import Away, Refused, WaitingLine
from realtime.settings import DELIVERY
from tests.realtime.feed.delivery.making_receivers import HttpServer, line, numbers, wait_for


def batch(*numbers: int) -> list[WaitingLine]:
    lines = [(number, line(number)) for number in numbers]
    return [WaitingLine(n, given.key, given.event, given.text.encode()) for n, given in lines]


def test_http_request_says_what_it_is() -> None:
    server = HttpServer()
    receiver = HttpReceiver(read_address(f"{server.url}?camera=door"), DELIVERY)
    receiver.send(batch(1, 2))
    receiver.close()
    server.close()
    (request,) = server.requests
    assert request["path"] == "/faces?camera=door"
    assert request["Content-Type"] == "application/x-ndjson"
    assert "Authorization" not in request
    assert numbers(server.received) == [1, 2]
    assert receiver.delivered == 2


def test_http_user_or_token_authorises(monkeypatch: pytest.MonkeyPatch) -> None:
    server = HttpServer()
    url = server.url.replace("//", "//me:s%3Acret@")
    HttpReceiver(read_address(url), DELIVERY).send(batch(1))
    monkeypatch.setenv("UNMASK_FEED_TOKEN", "abc.def")
    HttpReceiver(read_address(server.url), DELIVERY).send(batch(1))
    server.close()
    basic = "Basic " + base64.b64encode(b"me:s:cret").decode()
    assert [request["Authorization"] for request in server.requests] == [basic, "Bearer abc.def"]


def test_http_idempotency_key_is_of_the_batch() -> None:
    server = HttpServer()
    receiver = HttpReceiver(read_address(server.url), DELIVERY)
    for numbers_ in ((1, 2), (1, 2), (1, 3)):
        receiver.send(batch(*numbers_))
    receiver.close()
    server.close()
    first, again, other = server.keys
    assert first == again != other


@pytest.mark.parametrize(
    ("status", "headers", "retry_after_s"),
    [(500, {}, None), (429, {"Retry-After": "7"}, 7.0), (503, {"Retry-After": "soon"}, None)],
)
def test_http_busy_server_is_away(
    status: int, headers: dict[str, str], retry_after_s: float | None
) -> None:
    server = HttpServer()
    server.status, server.headers = status, headers
    receiver = HttpReceiver(read_address(server.url), DELIVERY)
    with pytest.raises(Away, match=str(status)) as caught:
        receiver.send(batch(1))
    receiver.close()
    server.close()
    assert caught.value.retry_after_s == retry_after_s
    assert receiver.delivered == 0


def test_http_redirection_is_not_followed() -> None:
    server, other = HttpServer(), HttpServer()
    server.status, server.headers = 307, {"Location": other.url}
    receiver = HttpReceiver(read_address(server.url), DELIVERY)
    with pytest.raises(Refused, match="307"):
        receiver.send(batch(1))
    receiver.close()
    server.close()
    other.close()
    assert other.requests == []


def test_http_connection_closed_while_idle_is_no_absence() -> None:
    server = HttpServer()
    receiver = HttpReceiver(read_address(server.url), DELIVERY)
    server.headers = {"X-Kept": "yes"}
    receiver.send(batch(1))
    server.close_connections()
    receiver.send(batch(2))
    receiver.close()
    server.close()
    assert numbers(server.received) == [1, 2]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_https_certificate_of_nobody_is_refused(tmp_path: Path) -> None:
    files = tmp_path / "key.pem", tmp_path / "certificate.pem"
    options = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost"
    command = ["openssl", *options.split(), "-keyout", str(files[0]), "-out", str(files[1])]
    subprocess.run(command, check=True, capture_output=True)
    server = HttpServer(certificate=files)
    receiver = HttpReceiver(read_address(f"https://localhost:{server.port}/"), DELIVERY)
    with pytest.raises(Refused, match="certificate is not valid"):
        receiver.send(batch(1))
    server.close()
    assert server.received == []


def test_http_500_for_a_while_repeats_the_same_batch(options: DeliveryOptions) -> None:
    server = HttpServer()
    server.status = 500
    delivery = open_delivery(server.url, source_key="source", waits=True, options=options)
    for number in range(50):
        delivery.put(line(number, track=number % 2))
    wait_for(lambda: server.refused > 3)
    server.status = 200
    assert delivery.finish(20) == 0
    delivery.close()
    server.close()
    assert numbers(server.received) == list(range(50))
    assert len(set(server.keys[: server.refused + 1])) == 1
