"""Keeps compiled models in the user's cache directory; damaged or unwritable, it only costs time."""

from __future__ import annotations

import hashlib
import logging
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

CACHE_VARIABLE = "UNMASK_CACHE_DIR"
_APPLICATION = "unmask-video"
_DIGEST_BYTES = 32
_MOST_ENTRIES = 24
_log = logging.getLogger(__name__)


def cache_dir() -> Path:
    """Return the program's cache directory (it may not exist yet).

    `UNMASK_CACHE_DIR` names it; else it is where the system keeps caches.
    """
    if named := os.environ.get(CACHE_VARIABLE):
        return Path(named)
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / _APPLICATION
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / _APPLICATION
    xdg = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(xdg) if Path(xdg).is_absolute() else Path.home() / ".cache") / _APPLICATION


@dataclass(frozen=True)
class CompiledEntry:
    """One compiled model in the cache.

    Attributes:
        engine: the engine it was compiled for.
        path: its file.
        size: bytes.
        used_s: when it was last used, seconds since the epoch.
    """

    engine: str
    path: Path
    size: int
    used_s: float


class CompiledCache:
    """The compiled models of one engine.

    Each file is the engine's own bytes followed by their SHA-256, written aside and moved into
    place, so that a file cut short or changed is noticed, removed and compiled anew.

    Args:
        engine: the engine's name.
        folder: the cache directory; the user's where not given.
    """

    def __init__(self, engine: str, folder: Path | None = None) -> None:
        self._engine = engine
        self.folder = (folder or cache_dir()) / "compiled" / engine
        self.warnings: list[str] = []

    def load(self, key: str) -> bytes | None:
        """Return the bytes stored under `key`, or None where they are absent or damaged."""
        path = self._path(key)
        try:
            content = path.read_bytes()
            os.utime(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            _log.debug("%s: %s", path, error)
            return None
        compiled, digest = content[:-_DIGEST_BYTES], content[-_DIGEST_BYTES:]
        if hashlib.sha256(compiled).digest() != digest:
            self.discard(key, "is damaged")
            return None
        return compiled

    def store(self, key: str, compiled: bytes) -> None:
        """Keep `compiled` under `key`; where that fails, note a warning and go on."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.folder, suffix=".part")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(compiled)
                    file.write(hashlib.sha256(compiled).digest())
                Path(name).replace(self._path(key))
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
            self._prune()
        except OSError as error:
            self._warn(
                f"compiled models cannot be kept in {self.folder} ({error.strerror or error}), "
                f"so every start compiles again; {CACHE_VARIABLE} names another directory"
            )

    def discard(self, key: str, why: str) -> None:
        """Remove an entry that cannot be used."""
        path = self._path(key)
        self._warn(f"the compiled model {path} {why}: compiling it again")
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            _log.debug("%s: %s", path, error)

    def entries(self) -> list[CompiledEntry]:
        """List what is stored, the last used first."""
        found = []
        for path in self.folder.glob("*.blob"):
            try:
                facts = path.stat()
            except OSError:
                continue
            found.append(CompiledEntry(self._engine, path, facts.st_size, facts.st_mtime))
        return sorted(found, key=lambda entry: -entry.used_s)

    def clear(self) -> int:
        """Remove every entry and return how many there were."""
        removed = self.entries()
        for entry in removed:
            entry.path.unlink(missing_ok=True)
        return len(removed)

    def _prune(self) -> None:
        for entry in self.entries()[_MOST_ENTRIES:]:
            entry.path.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.blob"

    def _warn(self, message: str) -> None:
        self.warnings.append(message)
        _log.warning(message)
