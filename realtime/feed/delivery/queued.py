"""Sends lines through the queue on disk to a network receiver that may be away."""

from __future__ import annotations

import contextlib
import random
import sqlite3
import threading
import time
from collections.abc import Callable

from realtime.feed.delivery.receiver import Away, Receiver, Refused
from realtime.feed.delivery.spool import Spool
from realtime.feed.line import Line
from realtime.settings import DeliverySettings

_TICK_S = 0.2  # after so many seconds a thread that waits looks round
_IDLE_S = 0.5  # between two looks at a connection on which nothing is sent
_STEADY_S = 1.0  # a receiver that takes lines for so long is back
_CLOSE_S = 3.0  # for which closing waits for the sender's thread


class DeliveryError(Exception):
    """The receiver refuses the feed, or the queue cannot be written; the message is one line."""


class QueuedDelivery:
    """Lines go to a queue on disk, and a thread sends them from there.

    Args:
        receiver: where the lines go.
        spool: the queue.
        name: the receiver for the user, without passwords.
        waits: whether `put` waits while the queue is full; else the oldest line is dropped.
        notify: is called with one line, from either thread, when the receiver goes or comes back.
        settings: delays between attempts.
        stop: is set by `close`; the receiver looks at it while it waits.

    Attributes:
        name: as given.
        dropped: lines left out because the receiver was away too long or refused them.
    """

    def __init__(
        self,
        receiver: Receiver,
        spool: Spool,
        *,
        name: str,
        waits: bool,
        notify: Callable[[str], None],
        settings: DeliverySettings,
        stop: threading.Event,
    ) -> None:
        self.name = name
        self.dropped = 0
        self._receiver, self._spool, self._settings = receiver, spool, settings
        self._waits, self._notify = waits, notify
        self._sent = 0  # number of the last line that was sent
        self._sent_before = (
            0  # number of the last line that was delivered when the receiver went away
        )
        self._attempts = 0  # that failed one after the other
        self._away_since_s: float | None = None  # monotonic; None: it takes lines
        self._steady_since_s: float | None = None
        self._failure: DeliveryError | None = None
        self._told_refusal = ""
        self._changed = threading.Condition()  # there is room, all is delivered, or it has failed
        self._wake = threading.Event()  # there is a line to send, or no more will come
        self._hurry = threading.Event()  # no more lines will come
        self._stop = stop
        self._done = threading.Event()
        if waiting := spool.count():
            notify(f"{name}: lines that wait on disk from before: {waiting}; they are sent first")
        self._thread = threading.Thread(target=self._run, name="feed-sender", daemon=True)
        self._thread.start()

    def put(self, line: Line) -> None:
        """Add a line; a line whose key is known is left out.

        Raises:
            DeliveryError: the receiver refuses the feed, or the queue cannot be written.
        """
        try:
            while self._failure is None and not self._spool.put(line):
                if not self._make_room():
                    self.dropped += 1
                    return
        except sqlite3.Error as error:
            raise self._queue_error(error) from None
        if self._failure:
            raise self._failure
        self._wake.set()

    def finish(self, timeout_s: float | None = None) -> int:
        """Wait until all is delivered; return the number of lines that are not.

        Args:
            timeout_s: seconds to wait at most; None: as long as it takes.

        Raises:
            DeliveryError: as for `put`.
        """
        end_s = None if timeout_s is None else time.monotonic() + timeout_s
        self._hurry.set()
        self._wake.set()
        with self._changed:
            while not self._done.is_set() and self._failure is None:
                if end_s is not None and time.monotonic() >= end_s:
                    break
                self._changed.wait(_TICK_S)
        if self._failure:
            raise self._failure
        return 0 if self._done.is_set() else self._spool.count()

    def close(self) -> None:
        """Stop sending; what waits stays on disk, and the user is told."""
        self._stop.set()
        self._hurry.set()
        self._wake.set()
        self._thread.join(_CLOSE_S)
        waiting = self._spool.count()
        # The keys of a file that was not read to its end are needed when the feed goes on.
        self._spool.close(remove=not waiting and (self._done.is_set() or not self._waits))
        if waiting:
            self._notify(
                f"{self.name}: lines that wait on disk: {waiting}; the same command sends them"
            )

    def _make_room(self) -> bool:
        """Wait for room, or drop the oldest line; return False if there is none to drop."""
        if self._waits:
            with self._changed:
                self._changed.wait(_TICK_S)
            return True
        dropped = self._spool.drop_oldest()
        self.dropped += dropped
        return dropped > 0

    def _run(self) -> None:
        try:
            while not self._stop.is_set() and not self._done.is_set():
                self._attempt()
        except DeliveryError as error:
            self._failure = error
        except sqlite3.Error as error:
            self._failure = self._queue_error(error)
        except Exception as error:
            self._failure = DeliveryError(f"{self.name}: {type(error).__name__}: {error}")
            self._failure.__cause__ = error
        finally:
            self._receiver.close()
            with contextlib.suppress(sqlite3.Error):
                self._spool.remove(self._receiver.delivered)
            with self._changed:
                self._changed.notify_all()

    def _attempt(self) -> None:
        """Send the next lines, or wait for some; after a failure, wait until the next attempt."""
        try:
            self._connect()
            is_full = self._send_next()
        except Away as away:
            self._take_stock()
            self._sent = self._receiver.delivered
            self._told_away(str(away))
            self._pause(away.retry_after_s)
            return
        except Refused as refused:
            self._refused(str(refused))
            return
        self._take_stock()
        self._told_back()
        if not is_full and not self._done.is_set():
            self._gather()

    def _connect(self) -> None:
        try:
            self._receiver.connect()
        except Refused as refused:
            if self._waits:
                raise
            raise Away(str(refused)) from None  # a live feed goes on trying

    def _send_next(self) -> bool:
        """Send the next batch; return whether more may wait already."""
        self._wake.clear()
        finishing = self._hurry.is_set()
        batch = self._spool.take(self._sent, self._receiver.batch_lines)
        if batch:
            self._receiver.send(batch)
            self._sent = batch[-1].number
            size = sum(len(line.text) for line in batch)
            is_full = 2 * size > self._settings.batch_bytes
            return finishing or is_full or len(batch) >= self._receiver.batch_lines
        if finishing:
            self._receiver.finish()
        else:
            self._receiver.poll()
        return False

    def _take_stock(self) -> None:
        """Remove what is delivered from the queue."""
        self._spool.remove(self._receiver.delivered)
        with self._changed:
            if self._hurry.is_set() and not self._stop.is_set() and self._spool.is_empty:
                self._done.set()
            self._changed.notify_all()

    def _gather(self) -> None:
        if self._wake.wait(_IDLE_S):
            self._hurry.wait(self._receiver.gather_s)

    def _pause(self, retry_after_s: float | None) -> None:
        """Wait for the next attempt: exponential back-off with jitter, or as the receiver asks."""
        limits = self._settings
        delay_s = min(limits.first_delay_s * 2.0 ** min(self._attempts, 30), limits.most_delay_s)
        delay_s *= random.uniform(0.5, 1.0)
        if retry_after_s is not None:
            delay_s = max(delay_s, min(retry_after_s, limits.most_retry_after_s))
        self._attempts += 1
        end_s = time.monotonic() + delay_s
        while not self._stop.is_set() and (left_s := end_s - time.monotonic()) > 0:
            self._stop.wait(min(left_s, limits.commit_s))
            self._spool.commit()

    def _told_away(self, reason: str) -> None:
        self._steady_since_s = None
        if self._away_since_s is None and not self._stop.is_set():
            self._away_since_s = time.monotonic()
            self._sent_before = self._receiver.delivered
            self._notify(f"{self.name}: away ({reason}); lines wait on disk")

    def _told_back(self) -> None:
        """Say once that the receiver is back, after it has taken lines for a moment."""
        if self._away_since_s is None:
            self._attempts = 0
            return
        now_s = time.monotonic()
        self._steady_since_s = self._steady_since_s or now_s
        if now_s - self._steady_since_s >= _STEADY_S or self._done.is_set():
            away_s = self._steady_since_s - self._away_since_s
            self._away_since_s, self._attempts = None, 0
            count = self._sent - self._sent_before
            self._notify(f"{self.name}: is back after {away_s:.0f} s; lines sent since: {count}")

    def _refused(self, reason: str) -> None:
        """End a file's feed; a live one goes on without the lines that were refused."""
        if self._waits:
            raise DeliveryError(f"{self.name}: refuses the lines ({reason}); they wait on disk")
        batch = self._spool.take(self._sent, self._receiver.batch_lines)
        self.dropped += len(batch)
        if batch:
            self._sent = batch[-1].number
            self._spool.remove(self._sent)
        if reason != self._told_refusal:
            self._told_refusal = reason
            self._notify(f"{self.name}: refuses the lines ({reason}); they are dropped")

    def _queue_error(self, error: sqlite3.Error) -> DeliveryError:
        return DeliveryError(f"{self.name}: the queue {self._spool.path} fails ({error})")
