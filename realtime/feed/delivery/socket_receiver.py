"""Writes lines to a TCP or Unix socket."""

from __future__ import annotations

import array
import contextlib
import socket
import struct
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import NoReturn

from realtime.feed.delivery.address import Address
from realtime.feed.delivery.receiver import Away, WaitingLine, reason_of
from realtime.settings import DeliverySettings

_TICK_S = 0.2  # after so many seconds without progress the connection is looked at
_READ_BYTES = 65536
_CLOSE_S = 1.0  # for which the receiver may take to close when the program is stopped
_ALIVE_AFTER_S = 30  # of silence after which the operating system asks whether the machine is there
_LEAST_UNREAD_BYTES = (
    256 * 1024
)  # that may lie unread, however small the windows were that were seen
_TCP_INFO_BYTES = 232  # of Linux's struct tcp_info up to its field tcpi_snd_wnd, 32 bits
_VANISHED_S = 120  # without acknowledgement, or without room, after which a connection is given up


class SocketReceiver:
    """A program that listens on a socket and reads lines.

    It does not say what it has read. A line counts as delivered
    - once the operating system says so: a Unix socket of Linux with an empty buffer was read to its end;
    - when the receiver closes the connection in order: its system does that only if it has read everything
      that its system had acknowledged (else it resets the connection);
    - when so many more bytes have been acknowledged as can lie unread in the receiver's system. That is
      its largest receive window so far, which Linux tells, taken twice; else `unread_bytes`.
    After any other end of a connection the lines that do not count as delivered are sent again, so that the
    receiver may see lines twice, which their keys tell. What it had read but not yet used when it ended is
    lost. It must leave out a last line without a line break: the feed sends that again.

    Args:
        address: of the socket.
        settings: how long a connection is waited for.
        stop: is set when the program ends; whatever waits then returns.
    """

    gather_s = 0.02

    def __init__(self, address: Address, settings: DeliverySettings, stop: threading.Event) -> None:
        self.delivered = 0
        self.batch_lines = settings.batch_lines
        self._address, self._settings, self._stop = address, settings, stop
        self._window_bytes = 0  # the receiver's largest receive window on this connection
        self._socket: socket.socket | None = None
        self._written = 0  # bytes on this connection
        self._ended = False  # whether the end of the stream was sent
        self._ends: deque[tuple[int, int]] = (
            deque()
        )  # of the lines on this connection: byte, number

    def connect(self) -> None:
        """Connect.

        Raises:
            Away: nobody listens.
        """
        if self._socket is not None:
            return
        address, timeout_s = self._address, self._settings.timeout_s
        try:
            if address.scheme == "unix":
                made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                try:
                    made.settimeout(timeout_s)
                    made.connect(address.path)
                except OSError:
                    made.close()
                    raise
            else:
                made = socket.create_connection((address.host, address.port), timeout_s)
                _notice_silence(made)
        except OSError as error:
            raise Away(reason_of(error)) from None
        made.settimeout(_TICK_S)
        self._socket, self._written, self._ended, self._window_bytes = made, 0, False, 0
        self._ends.clear()

    def send(self, batch: Sequence[WaitingLine]) -> None:
        """Write the lines.

        Raises:
            Away: the connection is closed.
        """
        self._read()
        self._connected.settimeout(_TICK_S)
        data = b"".join(line.text + b"\n" for line in batch)
        end = self._written
        for line in batch:
            end += len(line.text) + 1
            self._ends.append((end, line.number))
        rest = memoryview(data)
        while rest:
            try:
                count = self._connected.send(rest)
            except TimeoutError:  # the receiver reads slowly
                self._read()
                self._connected.settimeout(_TICK_S)
                if self._stop.is_set():
                    raise Away("stopped") from None
            except OSError as error:
                self._lose(reason_of(error))
            else:
                self._written += count
                rest = rest[count:]
        self._count()

    def poll(self) -> None:
        """Notice a closed connection, and what was read.

        Raises:
            Away: it is closed.
        """
        self._read()
        self._count()

    def finish(self) -> None:
        """Say that no more lines come, and wait until the receiver closes the connection.

        Raises:
            Away: it does not take the last lines.
        """
        self._say_farewell(self._settings.farewell_s)
        stays_open = self._socket is not None
        if stays_open and self._unacknowledged() == 0:  # its system has everything
            self._delivered_up_to(self._written)
        self._drop()
        if self._ends:
            raise Away("does not take the last lines")

    def close(self) -> None:
        """Close the connection; what the receiver takes at once counts as delivered."""
        if self._socket is not None:
            self._say_farewell(_CLOSE_S)
            self._drop()

    def _say_farewell(self, wait_s: float) -> None:
        """Send the end of the stream, and wait for the receiver's end."""
        end_s = time.monotonic() + wait_s
        try:
            self._connected.shutdown(socket.SHUT_WR)
            self._ended = True
            while time.monotonic() < end_s:
                self._read(wait=True)
        except (Away, OSError):
            return

    def _drop(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.close()
            self._socket = None

    @property
    def _connected(self) -> socket.socket:
        assert self._socket is not None, "is called after connect"
        return self._socket

    def _read(self, *, wait: bool = False) -> None:
        """Read and forget what the receiver says.

        Raises:
            Away: it has closed the connection.
        """
        connected = self._connected
        connected.settimeout(_TICK_S if wait else 0.0)
        try:
            if connected.recv(_READ_BYTES):
                return
        except (BlockingIOError, TimeoutError):
            return
        except OSError as error:
            self._lose(reason_of(error))
        unknown = 0 if self._ended else self._written
        self._delivered_up_to(self._written - self._unacknowledged(unknown))
        self._lose("has closed the connection")

    def _count(self) -> None:
        """Find out which lines were read."""
        unacknowledged = self._unacknowledged(1)
        if self._address.scheme == "unix" and unacknowledged == 0:
            self._delivered_up_to(self._written)
        else:
            self._delivered_up_to(self._written - unacknowledged - self._most_unread_bytes())

    def _most_unread_bytes(self) -> int:
        """Return how many acknowledged bytes may lie unread in the receiver's system."""
        unread_bytes = self._settings.unread_bytes
        if sys.platform == "linux" and self._address.scheme == "tcp":
            state = self._connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
            if len(state) == _TCP_INFO_BYTES:  # Linux 5.4 and newer
                (window_bytes,) = struct.unpack_from("I", state, _TCP_INFO_BYTES - 4)
                self._window_bytes = max(self._window_bytes, window_bytes)
                unread_bytes = max(2 * self._window_bytes, _LEAST_UNREAD_BYTES)
        # If the queue is full of lines that do not count as delivered yet, nothing more could be sent.
        return min(unread_bytes, self._settings.queue_bytes // 2)

    def _unacknowledged(self, unknown: int = 0) -> int:
        """Return the bytes that the other side's system has not acknowledged.

        For a Unix socket it is the memory that the unread bytes take. Other systems than Linux do not
        say: then it is `unknown`.
        """
        if sys.platform != "linux":
            return unknown
        import fcntl
        import termios

        count = array.array("i", [0])
        fcntl.ioctl(self._connected, termios.TIOCOUTQ, count)
        # The end of the stream counts as a byte that was never written.
        return min(max(count[0] - self._ended, 0), self._written)

    def _delivered_up_to(self, byte: int) -> None:
        while self._ends and self._ends[0][0] <= byte:
            self.delivered = self._ends.popleft()[1]

    def _lose(self, reason: str) -> NoReturn:
        self._drop()
        raise Away(reason)


def _notice_silence(connected: socket.socket) -> None:
    """Let the operating system end a connection whose other side has vanished without a word."""
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    with contextlib.suppress(AttributeError, OSError):  # Linux
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _ALIVE_AFTER_S)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _VANISHED_S * 1000)
