"""Keeps compiled models in the user's cache directory; damaged or unwritable, it only costs time."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

CACHE_VARIABLE = "UNMASK_CACHE_DIR"
_APPLICATION = "unmask-video"
_MOST_ENTRIES = 24
_log = logging.getLogger(__name__)

Facts = Mapping[str, str]
"""What a compiled model depends on, by name: `model`, `model_sha256`, `library`, `device`, ..."""


def cache_dir() -> Path:
    """Return the program's cache directory (it may not exist yet).

    It is the one `UNMASK_CACHE_DIR` names, by default the operating system's folder for caches.
    """
    if named := os.environ.get(CACHE_VARIABLE):
        return Path(named)
    return user_cache_path(_APPLICATION, appauthor=False, opinion=False)


@dataclass(frozen=True)
class CompiledEntry:
    """One compiled model in the cache.

    Attributes:
        engine: the engine it was compiled for.
        path: its file, beside the description `NAME.json`.
        size: bytes.
        used_s: when it was last used, seconds since the epoch.
        facts: what it depends on; empty where the description cannot be read.
        seconds: how long it took to compile; 0 where that is not known.
    """

    engine: str
    path: Path
    size: int
    used_s: float
    facts: Facts
    seconds: float


class CompiledCache:
    """The compiled models of one engine.

    A compiled model is `NAME.blob`, the engine's own bytes and nothing else; `NAME.json` beside it
    says what it depends on, how long it took, and the bytes' SHA-256. Both are written aside and
    moved into place, so that a file cut short or changed is noticed, removed and compiled anew.

    Args:
        engine: the engine's name.
        folder: the cache directory; the user's where not given.
    """

    def __init__(self, engine: str, folder: Path | None = None) -> None:
        self._engine = engine
        self.folder = (folder or cache_dir()) / "compiled" / engine
        self.warnings: list[str] = []

    def load(self, facts: Facts) -> bytes | None:
        """Return what was compiled under exactly these facts, or None where it is absent or damaged."""
        path = self.path(facts)
        try:
            compiled = path.read_bytes()
            os.utime(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            _log.debug("%s: %s", path, error)
            return None
        if _description(path).get("sha256") != hashlib.sha256(compiled).hexdigest():
            self.discard(facts, "is damaged")
            return None
        return compiled

    def store(self, facts: Facts, compiled: bytes, seconds: float) -> Path | None:
        """Keep `compiled`; where that fails, note a warning and go on.

        Args:
            facts: all it depends on.
            compiled: the engine's bytes.
            seconds: how long it took.

        Returns:
            Its file, or None.
        """
        path = self.path(facts)
        digest = hashlib.sha256(compiled).hexdigest()
        about = {"facts": dict(facts), "seconds": round(seconds, 3), "sha256": digest}
        try:
            self._write(path, compiled)
            self._write(path.with_suffix(".json"), (json.dumps(about, indent=2) + "\n").encode())
        except OSError as error:
            self._warn(
                f"compiled models cannot be kept in {self.folder} ({error.strerror or error}), "
                f"so every start compiles again; {CACHE_VARIABLE} names another directory"
            )
            return None
        for entry in self.entries()[_MOST_ENTRIES:]:
            _remove(entry.path)
        return path

    def discard(self, facts: Facts, why: str) -> None:
        """Remove an entry that cannot be used."""
        path = self.path(facts)
        self._warn(f"the compiled model {path} {why}: compiling it again")
        try:
            path.unlink(missing_ok=True)  # the description stays: it knows how long it took
        except OSError as error:
            _log.debug("%s: %s", path, error)

    def stale(self, facts: Facts) -> str:
        """Say what has changed since the model was last compiled for this device, or nothing."""
        for entry in self.entries():
            if all(entry.facts.get(name) == facts.get(name) for name in ("model", "device")):
                names = [name for name in facts if entry.facts.get(name) != facts[name]]
                return ", ".join(
                    f"{name} was {entry.facts.get(name, 'not known')}" for name in names
                )
        return ""

    def last_seconds(self, facts: Facts) -> float:
        """Return how long it took before to compile this model; 0 where that is not known."""
        kept = [_description(path) for path in self.folder.glob("*.json")]
        of_model = [
            about for about in kept if about.get("facts", {}).get("model") == facts["model"]
        ]
        return max((float(about.get("seconds", 0)) for about in of_model), default=0.0)

    def beside(self, name: str) -> bytes:
        """Return the bytes kept beside the models under a name, empty where there are none."""
        try:
            return (self.folder / f"{name}.cache").read_bytes()
        except OSError:
            return b""

    def keep_beside(self, name: str, content: bytes) -> None:
        """Keep bytes that only save time, and that their reader can tell to be good."""
        try:
            self._write(self.folder / f"{name}.cache", content)
        except OSError as error:
            _log.debug("%s: %s", name, error)

    def entries(self) -> list[CompiledEntry]:
        """List what is stored, the last used first."""
        found = []
        for path in self.folder.glob("*.blob"):
            try:
                state = path.stat()
            except OSError:
                continue
            about = _description(path)
            facts, seconds = about.get("facts", {}), about.get("seconds", 0.0)
            entry = CompiledEntry(self._engine, path, state.st_size, state.st_mtime, facts, seconds)
            found.append(entry)
        return sorted(found, key=lambda entry: -entry.used_s)

    def clear(self) -> int:
        """Remove everything and return how many compiled models there were."""
        removed = self.entries()
        for entry in removed:
            _remove(entry.path)
        for path in self.folder.glob("*.cache"):
            path.unlink(missing_ok=True)
        return len(removed)

    def path(self, facts: Facts) -> Path:
        """Return the file of what is compiled under these facts, there or not."""
        digest = hashlib.sha256(json.dumps(dict(facts), sort_keys=True).encode()).hexdigest()
        return self.folder / f"{facts.get('model', 'model')}-{digest[:24]}.blob"

    def _write(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def _warn(self, message: str) -> None:
        self.warnings.append(message)
        _log.warning(message)


def _description(path: Path) -> dict[str, Any]:
    try:
        about = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return about if isinstance(about, dict) and isinstance(about.get("facts"), dict) else {}


def _remove(path: Path) -> None:
    for each in (path, path.with_suffix(".json")):
        try:
            each.unlink(missing_ok=True)
        except OSError as error:
            _log.debug("%s: %s", each, error)
