"""Stores the encoded frames of an unfinished job on disk, so that a crash loses at most one segment.

The store is one SQLite file in the target's folder. A segment is committed as a whole, and a second
program that writes the same target finds the file locked.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from inpaint_model.errors import UserError
from inpaint_model.own_files import ForeignFileError, check_own, claim_file
from realtime.media.atomic_file import hidden_path

_VERSION = 3  # of the schema; a store of another version is emptied
_TABLES = ("fact", "segment", "packet")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS fact (job TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS segment (
    id INTEGER PRIMARY KEY, frames INTEGER NOT NULL, last_pts INTEGER NOT NULL, counts TEXT NOT NULL,
    records TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS packet (
    id INTEGER PRIMARY KEY, pts INTEGER NOT NULL, duration INTEGER NOT NULL,
    is_key INTEGER NOT NULL, data BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS packet_pts ON packet (pts);
"""


@dataclass(frozen=True)
class EncodedFrame:
    """An encoded frame.

    Attributes:
        pts, duration: in units of the video's time base.
        is_key: it is a keyframe.
        data: the packet's bytes.
    """

    pts: int
    duration: int
    is_key: bool
    data: bytes


@dataclass(frozen=True)
class Segment:
    """A complete run of encoded frames.

    Attributes:
        frames: their number.
        last_pts: the timestamp of the last one in display order.
        counts: what was found in them, as JSON values.
    """

    frames: int
    last_pts: int
    counts: dict[str, Any]


class SegmentStore:
    """The encoded frames of one job, in decoding order.

    Args:
        target: the file that will be written.

    Raises:
        UserError: another program writes this target, the folder is not writable, the disk is full (all
            methods that write raise this as well), or what lies there is no file of the user's own.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self.path = store_path(target)
        existed = self.path.exists()
        try:
            with self._errors():
                self._open_or_replace()
        except UserError:
            raise
        except BaseException:  # Ctrl-C at this moment leaves no file either
            if not existed:
                self.path.unlink(missing_ok=True)
            raise

    def _open_or_replace(self) -> None:
        try:
            self._open()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:  # not a store, or a damaged one
            self.path.unlink()
            self._open()

    def _open(self) -> None:
        journal = self._journal_path()
        try:
            claim_file(self.path)
            if os.path.lexists(journal):  # SQLite would apply it to the store
                check_own(journal)
        except ForeignFileError as error:
            raise UserError(
                f"{self._target}: {error.filename} {error.strerror}; remove it, or name another output"
            ) from None
        except OSError as error:
            raise UserError(f"{self._target}: cannot be written ({error.strerror})") from None
        self._database = sqlite3.connect(
            self.path, timeout=0.2, isolation_level=None, check_same_thread=False
        )
        self._database.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._database.execute("BEGIN EXCLUSIVE")
        self._database.execute("COMMIT")
        if self._database.execute("PRAGMA user_version").fetchone() != (_VERSION,):
            for table in _TABLES:
                self._database.execute(f"DROP TABLE IF EXISTS {table}")
        self._database.executescript(f"{_SCHEMA} PRAGMA user_version = {_VERSION};")

    def begin(self, facts: dict[str, object]) -> None:
        """Delete everything and begin a job that is identified by these facts."""
        with self._errors():
            self._database.execute("BEGIN")
            for table in _TABLES:
                self._database.execute(f"DELETE FROM {table}")
            self._database.execute("INSERT INTO fact VALUES (?)", (_as_text(facts),))
            self._database.execute("COMMIT")

    def holds(self, facts: dict[str, object]) -> bool:
        """Say whether the stored frames belong to the job that these facts identify."""
        return self._database.execute("SELECT job FROM fact").fetchone() == (_as_text(facts),)

    def segments(self) -> list[Segment]:
        """Return the complete segments, in order."""
        rows = self._database.execute("SELECT frames, last_pts, counts FROM segment ORDER BY id")
        return [Segment(int(frames), int(pts), json.loads(counts)) for frames, pts, counts in rows]

    def has_segments(self) -> bool:
        """Say whether there is a complete segment."""
        return self._database.execute("SELECT 1 FROM segment").fetchone() is not None

    def add(self, frames: Iterable[EncodedFrame]) -> None:
        """Add encoded frames to the open segment."""
        with self._errors():
            if not self._database.in_transaction:
                self._database.execute("BEGIN")
            self._database.executemany(
                "INSERT INTO packet (pts, duration, is_key, data) VALUES (?, ?, ?, ?)",
                ((f.pts, f.duration, f.is_key, f.data) for f in frames),
            )

    def drop(self) -> None:
        """Delete the frames of the open segment."""
        if self._database.in_transaction:
            self._database.execute("ROLLBACK")

    def close_segment(self, segment: Segment, records: Sequence[str] = ()) -> None:
        """Commit the open segment, with one line for each face in each of its frames."""
        with self._errors():
            self._database.execute(
                "INSERT INTO segment (frames, last_pts, counts, records) VALUES (?, ?, ?, ?)",
                (
                    segment.frames,
                    segment.last_pts,
                    json.dumps(segment.counts),
                    "\n".join(records),
                ),
            )
            self._database.execute("COMMIT")

    def frames(self) -> Iterator[EncodedFrame]:
        """Yield all frames in decoding order."""
        rows = self._database.execute("SELECT pts, duration, is_key, data FROM packet ORDER BY id")
        for pts, duration, is_key, data in rows:
            yield EncodedFrame(pts, duration, bool(is_key), data)

    def records(self) -> Iterator[str]:
        """Yield the lines that the segments were committed with, in order."""
        for (text,) in self._database.execute("SELECT records FROM segment ORDER BY id"):
            yield from text.splitlines()

    def times(self) -> Iterator[int]:
        """Yield all frames' timestamps in display order."""
        for (pts,) in self._database.execute("SELECT pts FROM packet ORDER BY pts"):
            yield pts

    def count(self) -> int:
        """Return the number of frames."""
        return self._database.execute("SELECT COUNT(*) FROM packet").fetchone()[0]

    def end(self) -> int:
        """Return the timestamp at which the last frame ends."""
        return self._database.execute("SELECT MAX(pts + duration) FROM packet").fetchone()[0]

    def reordering(self) -> int:
        """Return the reorder depth: by how many frames decoding must be ahead of display."""
        depth, early = 0, set[int]()
        waiting: dict[int, int] = {}
        decoding = self._database.execute("SELECT pts FROM packet ORDER BY id")
        for index, ((pts,), shown) in enumerate(zip(decoding, self.times(), strict=True)):
            if shown in early:
                early.remove(shown)
            else:
                waiting[shown] = index
            if pts in waiting:
                depth = max(depth, index - waiting.pop(pts))
            else:
                early.add(pts)
        return depth

    def close(self) -> None:
        """Close the file and keep it."""
        self._database.close()

    def remove(self) -> None:
        """Close and delete the file."""
        self._database.close()
        for path in (self.path, self._journal_path()):
            path.unlink(missing_ok=True)

    def _journal_path(self) -> Path:
        return self.path.with_name(self.path.name + "-journal")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            text = str(error)
            if "locked" in text:
                text = "another unmask is writing it"
            raise UserError(f"{self._target}: cannot be written ({text})") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def store_path(target: Path) -> Path:
    """Return the path of the store for a target."""
    return hidden_path(target, "unmask")


def _as_text(facts: dict[str, object]) -> str:
    return json.dumps(facts, sort_keys=True)
