"""Publishes lines to an MQTT broker with paho-mqtt."""

from __future__ import annotations

import contextlib
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from paho.mqtt import client as mqtt
from paho.mqtt.reasoncodes import ReasonCode

from realtime.feed.delivery.address import Address
from realtime.feed.delivery.receiver import Away, Refused, WaitingLine, absence
from realtime.settings import DeliverySettings

ONLINE, OFFLINE = "online", "offline"
_IN_FLIGHT = 20  # as many as paho-mqtt has in flight; more would wait for the first ones anyway
_QOS = 1  # at least once: the broker acknowledges each message
_KEEP_ALIVE_S = 30
_TICK_S = 0.2  # after so many seconds a thread that waits looks round
_BUSY = "Server unavailable"  # the only refusal of a connection that passes by itself


class MqttReceiver:
    """An MQTT broker, protocol version 3.1.1.

    Lines go to TOPIC/face and TOPIC/best_shot, in order, with quality of service 1: a line is delivered
    when the broker has acknowledged it. TOPIC/status is retained: online, or offline, which the broker
    publishes itself when the connection breaks (last will). After a break all lines from the first one
    without an acknowledgement on are sent again in order.

    Args:
        address: of the broker, with the topic as path.
        client_id: by which the broker knows this feed again.
        settings: how long an answer is waited for.
        stop: is set when the program ends; whatever waits then returns.
    """

    gather_s = 0.02

    def __init__(
        self, address: Address, client_id: str, settings: DeliverySettings, stop: threading.Event
    ) -> None:
        self.delivered = 0
        self.batch_lines = min(_IN_FLIGHT, settings.batch_lines)
        self._address, self._client_id = address, client_id
        self._settings, self._stop = settings, stop
        # One client is one connection: a client that connects again would send again by itself.
        self._client: mqtt.Client | None = None
        self._answer: ReasonCode | None = None  # to the connection
        self._acknowledged: set[int] = set()  # message numbers

    def connect(self) -> None:
        """Connect and publish that the feed is online.

        Raises:
            Away: nobody answers.
            Refused: it wants another user or password.
        """
        if self._client is not None:
            return
        client = self._new_client()
        try:
            client.connect(self._address.host, self._address.port, _KEEP_ALIVE_S)
        except (OSError, ValueError) as error:
            raise absence(error) from None
        self._client, self._answer = client, None
        self._loop_until(lambda: self._answer is not None, "does not answer")
        answer = self._answer
        if answer is None or answer.is_failure:
            self._drop()
            if answer is None or answer.getName() == _BUSY:
                raise Away(str(answer).lower())
            raise Refused(str(answer).lower())
        client.publish(self._status_topic, ONLINE, _QOS, retain=True)

    def send(self, batch: Sequence[WaitingLine]) -> None:
        """Publish the lines and wait for the acknowledgements.

        Raises:
            Away: the connection is closed, or no acknowledgement came in time.
        """
        self._acknowledged.clear()
        numbers: list[int] = []
        try:
            for line in batch:
                topic = f"{self._address.path}/{line.event}"
                numbers.append(self._connected.publish(topic, line.text, _QOS).mid)
            self._loop_until(
                lambda: self._acknowledged.issuperset(numbers), "does not acknowledge lines"
            )
        finally:
            for line, number in zip(batch, numbers, strict=False):
                if number not in self._acknowledged:
                    break
                self.delivered = line.number

    def poll(self) -> None:
        """Answer the broker's pings.

        Raises:
            Away: the connection is closed.
        """
        self._loop(0.0)

    def finish(self) -> None:
        """Do nothing: everything that was sent is acknowledged."""

    def close(self) -> None:
        """Publish that the feed is offline, and disconnect."""
        if self._client is None:
            return
        with contextlib.suppress(Away):
            self._acknowledged.clear()
            number = self._client.publish(self._status_topic, OFFLINE, _QOS, retain=True).mid
            end_s = time.monotonic() + 1.0
            while number not in self._acknowledged and time.monotonic() < end_s:
                self._loop(_TICK_S)
            self._connected.disconnect()
        self._drop()

    @property
    def _connected(self) -> mqtt.Client:
        assert self._client is not None, "is called after connect"
        return self._client

    @property
    def _status_topic(self) -> str:
        return f"{self._address.path}/status"

    def _new_client(self) -> mqtt.Client:
        address = self._address
        client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, self._client_id, reconnect_on_failure=False
        )
        client.connect_timeout = self._settings.timeout_s
        client.will_set(self._status_topic, OFFLINE, _QOS, retain=True)
        if address.user is not None:
            client.username_pw_set(address.user, address.password)
        if address.scheme == "mqtts":
            client.tls_set_context(ssl.create_default_context())
        client.on_connect = self._on_connect
        client.on_publish = self._on_publish
        return client

    def _on_connect(self, *arguments: Any) -> None:
        self._answer = arguments[3]

    def _on_publish(self, *arguments: Any) -> None:
        self._acknowledged.add(arguments[2])

    def _loop_until(self, is_done: Callable[[], bool], reason: str) -> None:
        """Handle messages until something has happened; time without any progress is an absence."""
        seen, end_s = len(self._acknowledged), time.monotonic() + self._settings.timeout_s
        while not is_done():
            self._loop(_TICK_S)
            if len(self._acknowledged) > seen:
                seen, end_s = len(self._acknowledged), time.monotonic() + self._settings.timeout_s
            if time.monotonic() > end_s or self._stop.is_set():
                self._drop()
                raise Away(reason)

    def _loop(self, wait_s: float) -> None:
        code = self._connected.loop(wait_s)
        refused = self._answer is not None and self._answer.is_failure
        if code != mqtt.MQTTErrorCode.MQTT_ERR_SUCCESS and not refused:
            self._drop()
            raise Away(mqtt.error_string(code).rstrip(".").lower())

    def _drop(self) -> None:
        """Close the socket without a farewell: the broker then publishes that the feed is offline."""
        if self._client is not None:
            taken = self._client.socket()
            if taken is not None:
                taken.close()
            self._client = None
