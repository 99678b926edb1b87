"""Keeps coded frames of an unfinished job on disk, segment by segment, so that none is lost to a crash.

One SQLite file beside the target: a segment is there entirely or not at all, whatever kills the
program, and a second program that would write the same target finds it locked.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from inpaint_model.errors import UserError

_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS segment (
    id INTEGER PRIMARY KEY, frames INTEGER NOT NULL, last_pts INTEGER NOT NULL, notes TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS packet (
    id INTEGER PRIMARY KEY, pts INTEGER NOT NULL, duration INTEGER NOT NULL,
    is_key INTEGER NOT NULL, data BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS packet_pts ON packet (pts);
"""


@dataclass(frozen=True)
class CodedFrame:
    """A coded frame.

    Attributes:
        pts, duration: in the video's unit of time.
        is_key: it can be decoded alone.
        data: the packet's bytes.
    """

    pts: int
    duration: int
    is_key: bool
    data: bytes


@dataclass(frozen=True)
class Segment:
    """A stretch of coded frames that is complete.

    Attributes:
        frames: how many.
        last_pts: the last one's timestamp in order of display.
        notes: what was found in them, as JSON.
    """

    frames: int
    last_pts: int
    notes: dict[str, Any]


class SegmentStore:
    """The coded frames of one job, in order of coding.

    Args:
        target: the file that will be written.

    Raises:
        UserError: another program writes this target, or the folder takes no file; the disk is full.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self.path = store_path(target)
        was_there = self.path.exists()
        try:
            with self._errors():
                self._open_or_replace()
        except UserError:
            raise
        except BaseException:  # Ctrl-C in this moment leaves no file either
            if not was_there:
                self.path.unlink(missing_ok=True)
            raise

    def _open_or_replace(self) -> None:
        try:
            self._open()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:  # not a spool, or one that broke
            self.path.unlink()
            self._open()

    def _open(self) -> None:
        self._base = sqlite3.connect(
            self.path, timeout=0.2, isolation_level=None, check_same_thread=False
        )
        self._base.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._base.execute("BEGIN EXCLUSIVE")
        self._base.execute("COMMIT")
        self._base.executescript(_SCHEMA)

    def begin(self, facts: dict[str, object]) -> None:
        """Forget what is there and begin a job of these facts."""
        with self._errors():
            self._base.execute("BEGIN")
            for table in ("fact", "segment", "packet"):
                self._base.execute(f"DELETE FROM {table}")
            text = json.dumps(facts, sort_keys=True)
            self._base.execute("INSERT INTO fact VALUES ('job', ?)", (text,))
            self._base.execute("INSERT INTO fact VALUES ('version', ?)", (str(_VERSION),))
            self._base.execute("COMMIT")

    def holds(self, facts: dict[str, object]) -> bool:
        """Say whether what is there belongs to a job of these facts."""
        rows = dict(self._base.execute("SELECT name, value FROM fact").fetchall())
        text = json.dumps(facts, sort_keys=True)
        return rows.get("version") == str(_VERSION) and rows.get("job") == text

    def segments(self) -> list[Segment]:
        """Return the complete segments, in order."""
        rows = self._base.execute("SELECT frames, last_pts, notes FROM segment ORDER BY id")
        return [Segment(frames, last_pts, json.loads(notes)) for frames, last_pts, notes in rows]

    def add(self, frames: Iterable[CodedFrame]) -> None:
        """Add coded frames; they stay once the segment is closed."""
        with self._errors():
            if not self._base.in_transaction:
                self._base.execute("BEGIN")
            self._base.executemany(
                "INSERT INTO packet (pts, duration, is_key, data) VALUES (?, ?, ?, ?)",
                ((f.pts, f.duration, f.is_key, f.data) for f in frames),
            )

    def drop(self) -> None:
        """Forget what was added since the last segment."""
        if self._base.in_transaction:
            self._base.execute("ROLLBACK")

    def close_segment(self, segment: Segment) -> None:
        """Make what was added since the last segment stay."""
        with self._errors():
            self._base.execute(
                "INSERT INTO segment (frames, last_pts, notes) VALUES (?, ?, ?)",
                (segment.frames, segment.last_pts, json.dumps(segment.notes)),
            )
            self._base.execute("COMMIT")

    def frames(self) -> Iterator[CodedFrame]:
        """Yield all coded frames in order of coding."""
        rows = self._base.execute("SELECT pts, duration, is_key, data FROM packet ORDER BY id")
        for pts, duration, is_key, data in rows:
            yield CodedFrame(pts, duration, bool(is_key), data)

    def times(self) -> Iterator[int]:
        """Yield all frames' timestamps in order of display."""
        for (pts,) in self._base.execute("SELECT pts FROM packet ORDER BY pts"):
            yield pts

    def count(self) -> int:
        """Return how many frames there are."""
        return self._base.execute("SELECT COUNT(*) FROM packet").fetchone()[0]

    def end(self) -> int:
        """Return when the last frame ceases to be shown."""
        return self._base.execute("SELECT MAX(pts + duration) FROM packet").fetchone()[0]

    def reordering(self) -> int:
        """Return by how many frames the order of coding is ahead of the order of display."""
        most, early = 0, set[int]()
        waiting: dict[int, int] = {}
        coded = self._base.execute("SELECT pts FROM packet ORDER BY id")
        for index, ((pts,), shown) in enumerate(zip(coded, self.times(), strict=True)):
            if shown in early:
                early.remove(shown)
            else:
                waiting[shown] = index
            if pts in waiting:
                most = max(most, index - waiting.pop(pts))
            else:
                early.add(pts)
        return most

    def close(self) -> None:
        """Close the file; it stays."""
        self._base.close()

    def remove(self) -> None:
        """Close and delete the file."""
        self._base.close()
        for path in (self.path, self.path.with_name(self.path.name + "-journal")):
            path.unlink(missing_ok=True)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            text = str(error)
            if "locked" in text:
                text = "another unmask writes it at this moment"
            raise UserError(f"{self._target}: cannot be written ({text})") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def store_path(target: Path) -> Path:
    """Return where the coded frames for a target lie while it is unfinished."""
    return _beside(target, "unmask")


def finishing_path(target: Path) -> Path:
    """Return where the target is put together before it gets its name."""
    return _beside(target, "unmask-final")


def _beside(target: Path, kind: str) -> Path:
    name = target.name
    digest = hashlib.sha256(str(name).encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return target.with_name(f".{name[:32]}.{digest}.{kind}")
