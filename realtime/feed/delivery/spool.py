"""The queue on disk in which lines wait for a receiver; it outlives the program."""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import threading
import time
from pathlib import Path

from inpaint_model.cache import CACHE_VARIABLE, cache_dir
from inpaint_model.errors import UserError
from inpaint_model.own_files import claim_file, make_own_folder
from realtime.feed.delivery.receiver import WaitingLine
from realtime.feed.line import Line
from realtime.settings import DeliverySettings

_FORMAT = 1  # of the file; a file of another one is begun anew
_SUFFIX = ".queue"
_DAY_S = 86400
# known: lines that wait or were delivered, 64 bits of a hash of event and key. Two of ten million lines
# have the same one with a probability of 3e-6.
_TABLES = """
CREATE TABLE waiting (
    number INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, event TEXT NOT NULL, text BLOB NOT NULL);
CREATE TABLE known (hash INTEGER PRIMARY KEY);
CREATE TABLE batch (last INTEGER NOT NULL);
INSERT INTO batch VALUES (0);
"""


class DamagedQueue(Exception):
    """The queue's file is not one, or of another version."""


class Spool:
    """Lines in an SQLite file that one process at a time has open.

    Everything is on disk before it is sent, and what was delivered is removed at once: a process that is
    killed leaves behind the lines that wait, and at most one batch that was sent already. A computer that
    loses power may lose the last seconds.

    Args:
        path: of the file.
        remembers: whether keys that were delivered stay known.
        settings: how many bytes may wait, and when they are on disk.

    Raises:
        DamagedQueue: the file cannot be read.
        UserError: another feed has it open, or it cannot be written.
    """

    def __init__(self, path: Path, *, remembers: bool, settings: DeliverySettings) -> None:
        self.path = path
        self._remembers, self._settings = remembers, settings
        self._lock = threading.RLock()
        self._is_open = True
        self._committed_s = time.monotonic()
        try:
            claim_file(path)
            self._database = _open(path)
            self._waiting_bytes = self._sum_bytes("1")
            (self._batch_end,) = self._database.execute("SELECT last FROM batch").fetchone()
        except (sqlite3.OperationalError, OSError) as error:
            raise UserError(_opening_error(path, error)) from None
        except sqlite3.DatabaseError as error:
            raise DamagedQueue(" ".join(str(error).split())) from None

    def put(self, line: Line) -> bool:
        """Add a line unless its key is known; return False if there is no room for it."""
        text = line.text.encode()
        with self._lock:
            if self._remembers and self._is_known(line):
                return True
            if self._waiting_bytes and self._waiting_bytes + len(text) > self._settings.queue_bytes:
                self.commit()
                return False
            self._begin()
            self._database.execute(
                "INSERT INTO waiting (key, event, text) VALUES (?, ?, ?)",
                (line.key, line.event, text),
            )
            if (
                self._remembers
            ):  # after the line: an interrupt between both may repeat it, not lose it
                self._database.execute("INSERT INTO known VALUES (?)", (_hash(line),))
            self._waiting_bytes += len(text)
            if time.monotonic() - self._committed_s > self._settings.commit_s:
                self.commit()
            return True

    def take(self, after: int, most_lines: int) -> list[WaitingLine]:
        """Return the next lines to send; they stay in the queue.

        Lines that were taken are taken together again after they failed, also by the next process: a
        receiver that knows a batch by its hash recognises it.

        Args:
            after: number of the last line that was sent.
            most_lines: of a batch that was not taken before.
        """
        with self._lock:
            if not self._is_open:
                return []
            rows = self._rows("number > ? AND number <= ?", (after, self._batch_end), -1)
            if not rows:
                rows = self._cut(self._rows("number > ?", (after,), most_lines))
                if rows:
                    self._batch_end = rows[-1].number
                    self._begin()
                    self._database.execute("UPDATE batch SET last = ?", (self._batch_end,))
            self.commit()
            return rows

    def remove(self, up_to: int) -> None:
        """Remove the lines up to a number: they are delivered, or refused."""
        with self._lock:
            if not self._is_open:
                return
            size = self._sum_bytes("number <= ?", up_to)
            if size:
                self._begin()
                self._database.execute("DELETE FROM waiting WHERE number <= ?", (up_to,))
                self._waiting_bytes -= size
            self.commit()

    def drop_oldest(self) -> int:
        """Remove the oldest line that no batch holds, to make room; return the number of lines removed."""
        with self._lock:
            rows = self._rows("number > ?", (self._batch_end,), 1)
            for row in rows:
                self._begin()
                self._database.execute("DELETE FROM waiting WHERE number = ?", (row.number,))
                self._waiting_bytes -= len(row.text)
            return len(rows)

    @property
    def is_empty(self) -> bool:
        """Whether no line waits."""
        return self._waiting_bytes == 0

    def count(self) -> int:
        """Return the number of lines that wait."""
        with self._lock:
            if not self._is_open:
                return 0
            return self._database.execute("SELECT COUNT(*) FROM waiting").fetchone()[0]

    def commit(self) -> None:
        """Write everything through to the file."""
        with self._lock:
            if self._is_open and self._database.in_transaction:
                self._database.execute("COMMIT")
            self._committed_s = time.monotonic()

    def close(self, *, remove: bool) -> None:
        """Close the file and, if asked to, remove it."""
        with self._lock:
            if not self._is_open:
                return
            self.commit()
            self._is_open = False
            self._database.close()  # removes the log beside the file
            if remove:
                self.path.unlink(missing_ok=True)

    def _begin(self) -> None:
        if not self._database.in_transaction:
            self._database.execute("BEGIN")

    def _is_known(self, line: Line) -> bool:
        found = self._database.execute("SELECT 1 FROM known WHERE hash = ?", (_hash(line),))
        return found.fetchone() is not None

    def _rows(self, where: str, values: tuple[int, ...], limit: int) -> list[WaitingLine]:
        statement = f"SELECT number, key, event, text FROM waiting WHERE {where} ORDER BY number"
        found = self._database.execute(f"{statement} LIMIT {limit}", values)
        return [WaitingLine(*row) for row in found]

    def _cut(self, rows: list[WaitingLine]) -> list[WaitingLine]:
        """Return the first rows that fit into a batch, at least one."""
        size = 0
        for index, row in enumerate(rows):
            size += len(row.text)
            if index and size > self._settings.batch_bytes:
                return rows[:index]
        return rows

    def _sum_bytes(self, where: str, *values: int) -> int:
        statement = f"SELECT TOTAL(LENGTH(text)) FROM waiting WHERE {where}"
        return int(self._database.execute(statement, values).fetchone()[0])


def open_spool(
    source_key: str, receiver: str, *, remembers: bool, settings: DeliverySettings
) -> tuple[Spool, str]:
    """Open the queue of a source and a receiver in the user's cache directory.

    Args:
        source_key: the same for the same lines.
        receiver: the same for the same receiver.
        remembers: whether keys that were delivered stay known.
        settings: of the queue.

    Returns:
        The queue and a warning, which is empty if the file was sound.

    Raises:
        UserError: another feed has it open, or it cannot be written.
    """
    folder = cache_dir() / "feed"
    try:
        make_own_folder(folder)
    except OSError as error:
        raise UserError(_opening_error(folder, error)) from None
    _remove_old(folder, settings.kept_days)
    digest = hashlib.sha256(f"{source_key}\0{receiver}".encode()).hexdigest()
    path = folder / f"{digest[:32]}{_SUFFIX}"
    try:
        return Spool(path, remembers=remembers, settings=settings), ""
    except DamagedQueue as damage:
        aside = path.with_suffix(".damaged")
        path.replace(aside)
        _log_of(path).unlink(missing_ok=True)
        warning = f"the queue was damaged ({damage}) and is begun anew; {aside} is the old one"
        return Spool(path, remembers=remembers, settings=settings), warning


def _open(path: Path) -> sqlite3.Connection:
    # Autocommit: transactions begin and end where this module says so. The lock lets two threads share it.
    database = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        database.execute("PRAGMA locking_mode = EXCLUSIVE")  # before WAL: needs no shared memory
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute("BEGIN IMMEDIATE")
        (version,) = database.execute("PRAGMA user_version").fetchone()
        database.execute("COMMIT")
        if version == 0 and not database.execute("SELECT 1 FROM sqlite_master").fetchone():
            database.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {_FORMAT}; COMMIT;")
        elif version != _FORMAT:
            raise sqlite3.DatabaseError("of another version")
        (state,) = database.execute("PRAGMA quick_check(1)").fetchone()
        if state != "ok":
            raise sqlite3.DatabaseError(state)
    except BaseException:
        database.close()
        raise
    return database


def _opening_error(path: Path, error: Exception) -> str:
    if getattr(error, "sqlite_errorname", "").startswith("SQLITE_BUSY"):
        return "a feed of the same source to the same receiver is running"
    return f"{path}: cannot be written ({error}); {CACHE_VARIABLE} names another directory"


def _remove_old(folder: Path, kept_days: float) -> None:
    """Remove what nobody has touched for long; a feed that runs writes to its queue."""
    for path in [*folder.glob(f"*{_SUFFIX}"), *folder.glob("*.damaged")]:
        with contextlib.suppress(OSError):
            touched_s = max(p.stat().st_mtime for p in (path, _log_of(path)) if p.exists())
            if time.time() - touched_s > kept_days * _DAY_S:
                path.unlink()
                _log_of(path).unlink(missing_ok=True)


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _hash(line: Line) -> int:
    digest = hashlib.blake2b(f"{line.event} {line.key}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)
