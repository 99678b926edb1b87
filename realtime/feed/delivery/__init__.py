"""How lines of the feed get to a receiver: standard output, a file, a socket, HTTP or MQTT."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from inpaint_model.errors import UserError
from realtime.feed.delivery.address import (
    STANDARD_OUTPUT,
    TOKEN_VARIABLE,
    Address,
    is_network,
    read_address,
)
from realtime.feed.delivery.direct import AppendedFile, StandardOutput, WholeFile, check_file
from realtime.feed.delivery.queued import DeliveryError, QueuedDelivery
from realtime.feed.delivery.receiver import Receiver
from realtime.feed.line import Line
from realtime.settings import DELIVERY
from realtime.settings import DeliverySettings as DeliveryOptions

__all__ = [
    "TOKEN_VARIABLE",
    "Delivery",
    "DeliveryError",
    "DeliveryOptions",
    "check_out",
    "open_delivery",
]


class Delivery(Protocol):
    """A receiver of lines. One thread calls it.

    Attributes:
        name: the receiver for the user, without passwords.
        dropped: lines that were left out because the receiver was away too long or refused them; only
            from live sources.
    """

    name: str
    dropped: int

    def put(self, line: Line) -> None:
        """Give a line; it is delivered now or later, once.

        Lines from files wait while the queue is full; from live sources the oldest line is dropped then.

        Raises:
            BrokenPipeError: the reader of standard output has gone: the feed ends without a word.
            DeliveryError: the receiver refuses the feed, or the queue cannot be written.
        """
        ...

    def finish(self, timeout_s: float | None = None) -> int:
        """Wait until all is delivered; return the number of lines that are not.

        Args:
            timeout_s: seconds to wait at most; None: as long as it takes.

        Raises:
            DeliveryError: the receiver refuses the feed, or the queue cannot be written.
        """
        ...

    def close(self) -> None:
        """Release everything. What waits for a network receiver stays on disk; without `finish`, a file
        of a source that waits is removed.
        """
        ...


def check_out(out: str, *, waits: bool | None = None, overwrite: bool = False) -> None:
    """Refuse a receiver that cannot work, before any work is done.

    Args:
        out: `-`, the path of a file, or an address: unix:///PATH, tcp://HOST:PORT, http(s)://HOST/PATH,
            mqtt(s)://HOST/TOPIC.
        waits: whether the source is a file or a folder; None: not known yet.
        overwrite: whether a file that exists is replaced.

    Raises:
        UserError: the message says why, without the password.
    """
    if is_network(out):
        read_address(out)
    elif out != STANDARD_OUTPUT:
        check_file(out, waits=waits, overwrite=overwrite)


def open_delivery(
    out: str,
    *,
    source_key: str,
    waits: bool,
    overwrite: bool = False,
    source: Path | None = None,
    notify: Callable[[str], None] = lambda message: None,
    options: DeliveryOptions | None = None,
) -> Delivery:
    """Open a receiver.

    Args:
        out: as for `check_out`.
        source_key: the same for the same lines: a hash of the source, the options and the networks. A feed
            with the same key and receiver goes on where the one before ended.
        waits: whether the source waits for the receiver (files and folders) or not (live).
        overwrite: whether a file that exists is replaced.
        source: the file that the lines are about: nobody may read theirs who may not read it.
        notify: is called with one line when a network receiver goes or comes back, from any thread.
        options: sizes and times of the queue.

    Raises:
        UserError: as for `check_out`; or a feed with the same key and receiver is running; or the queue
            cannot be written.
    """
    check_out(out, waits=waits, overwrite=overwrite)
    if out == STANDARD_OUTPUT:
        return StandardOutput()
    if not is_network(out):
        if waits:
            return WholeFile(Path(out), overwrite=overwrite, source=source)
        return AppendedFile(Path(out), overwrite=overwrite)
    return _open_queued(read_address(out), source_key, waits, notify, options or DELIVERY)


def _open_queued(
    address: Address,
    source_key: str,
    waits: bool,
    notify: Callable[[str], None],
    settings: DeliveryOptions,
) -> Delivery:
    from realtime.feed.delivery.spool import open_spool

    name, stop = address.name, threading.Event()
    receiver = _receiver(address, source_key, settings, stop)
    try:
        spool, warning = open_spool(
            source_key, address.identity, remembers=waits, settings=settings
        )
    except UserError as error:
        raise UserError(f"{name}: {error}") from None
    if warning:
        notify(f"{name}: {warning}")
    return QueuedDelivery(
        receiver, spool, name=name, waits=waits, notify=notify, settings=settings, stop=stop
    )


def _receiver(
    address: Address, source_key: str, settings: DeliveryOptions, stop: threading.Event
) -> Receiver:
    if address.scheme in ("http", "https"):
        from realtime.feed.delivery.http_receiver import HttpReceiver

        return HttpReceiver(address, settings)
    if address.scheme in ("mqtt", "mqtts"):
        from realtime.feed.delivery.mqtt_receiver import MqttReceiver

        digest = hashlib.sha256(f"{source_key}\0{address.identity}".encode()).hexdigest()
        # 23 letters and digits: every broker takes such a name.
        return MqttReceiver(address, f"unmask{digest[:17]}", settings, stop)
    from realtime.feed.delivery.socket_receiver import SocketReceiver

    return SocketReceiver(address, settings, stop)
