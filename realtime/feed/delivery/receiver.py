"""What a network receiver does for the queue that sends to it."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from realtime.feed.record import Event


@dataclass(frozen=True)
class WaitingLine:
    """A line in the queue.

    Attributes:
        number: counts the lines of the queue; later lines have higher numbers.
        key: the record's key.
        event: what the record stands for.
        text: its JSON in UTF-8, without a line break.
    """

    number: int
    key: str
    event: Event
    text: bytes


class Away(Exception):
    """The receiver takes no lines now but may come back; the message says why.

    Args:
        reason: for the user, without passwords.
        retry_after_s: seconds that it asks to wait, or None.
    """

    def __init__(self, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class Refused(Exception):
    """The receiver will not take these lines when they are sent again; the message says why."""


class Receiver(Protocol):
    """A network receiver. Every method is called from one thread.

    Attributes:
        gather_s: seconds for which lines are gathered before they are sent together.
        batch_lines: lines that it is given at once, at most.
        delivered: number of the last line that it surely has, together with all lines before it.
    """

    gather_s: float
    batch_lines: int
    delivered: int

    def connect(self) -> None:
        """Connect, unless it is connected.

        Raises:
            Away: it does not answer.
            Refused: it wants another user or password.
        """
        ...

    def send(self, batch: Sequence[WaitingLine]) -> None:
        """Send lines; after `Away` those after `delivered` are given again.

        Raises:
            Away: it has gone, or answers that it takes no lines now.
            Refused: it answers that it takes none of these lines.
        """
        ...

    def poll(self) -> None:
        """Keep the connection alive while there is nothing to send, and notice what it has taken.

        Raises:
            Away: it has gone.
        """
        ...

    def finish(self) -> None:
        """Make sure that it has every line that was sent.

        Raises:
            Away: it does not have all of them.
        """
        ...

    def close(self) -> None:
        """Close the connection; nothing is raised."""
        ...


def absence(error: Exception) -> Away | Refused:
    """Return what a failed connection means. A bad certificate does not get better by itself."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return Refused(f"its certificate is not valid: {error.verify_message}")
    return Away(reason_of(error))


def reason_of(error: Exception) -> str:
    """Return why a connection failed, for the user."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split()).lower()
