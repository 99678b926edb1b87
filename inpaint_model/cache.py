"""Keeps compiled models in the user's cache directory; a damaged or unwritable cache only costs time."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inpaint_model.own_files import ForeignFileError, make_own_folder, read_own

CACHE_VARIABLE = "UNMASK_CACHE_DIR"
_APPLICATION = "unmask-video"
_MAX_ENTRIES = 24  # compiled models of one engine; the ones not used for longest go first
_log = logging.getLogger(__name__)

CacheKey = Mapping[str, str]
"""Everything a compiled model depends on, by name: `model`, `model_sha256`, `library`, `device`, ..."""


def cache_dir() -> Path:
    """Return the program's cache directory (it may not exist yet).

    It is the one `UNMASK_CACHE_DIR` names, by default the operating system's folder for caches. Without
    the package platformdirs (a training machine has no need of it) that is the folder of Linux.
    """
    if named := os.environ.get(CACHE_VARIABLE):
        return Path(named)
    try:
        from platformdirs import user_cache_path
    except ImportError:
        return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / _APPLICATION
    return user_cache_path(_APPLICATION, appauthor=False, opinion=False)


@dataclass(frozen=True)
class CompiledEntry:
    """One compiled model in the cache.

    Attributes:
        path: its file; the description is `NAME.json` in the same folder.
        size_bytes: size of the file.
        used_s: when it was last used, seconds since the epoch.
        key: what it depends on; empty if the description cannot be read.
        build_s: how long it took to compile, in seconds; 0 if that is not known.
    """

    path: Path
    size_bytes: int
    used_s: float
    key: CacheKey
    build_s: float


class CompiledCache:
    """The compiled models of one engine.

    A compiled model is `NAME.blob`, the engine's own bytes and nothing else. `NAME.json` holds its
    key, how long it took to compile, and the SHA-256 of the bytes. Both are written to a temporary
    file and moved into place: a file that was cut short or changed is noticed, removed and compiled
    again. The folder is closed to other users, and what another one could have put there is not read.

    Args:
        engine: the engine's name.

    Attributes:
        folder: where the files are.
        warnings: what went wrong so far, one line each.
    """

    def __init__(self, engine: str) -> None:
        self.folder = cache_dir() / "compiled" / engine
        self.warnings: list[str] = []

    def load(self, key: CacheKey) -> bytes | None:
        """Return the model compiled under exactly this key, or None if it is absent or damaged."""
        path = self.path(key)
        try:
            compiled = read_own(path)
            os.utime(path)
        except ForeignFileError as error:
            self.discard(key, str(error.strerror))
            return None
        except OSError as error:
            _log.debug("%s: %s", path, error)
            return None
        about = _read_description(path)
        digest = hashlib.sha256(compiled).hexdigest()
        if (about.get("sha256"), about.get("facts")) != (digest, dict(key)):
            self.discard(key, "is damaged")
            return None
        return compiled

    def store(self, key: CacheKey, compiled: bytes, build_s: float) -> None:
        """Keep a compiled model; if it cannot be written, add a warning and go on.

        Args:
            key: everything it depends on.
            compiled: the engine's bytes.
            build_s: how long it took to compile, in seconds.
        """
        path = self.path(key)
        digest = hashlib.sha256(compiled).hexdigest()
        description = {"facts": dict(key), "seconds": round(build_s, 3), "sha256": digest}
        try:
            _write(path, compiled)
            _write(path.with_suffix(".json"), (json.dumps(description, indent=2) + "\n").encode())
        except OSError as error:
            self._warn(
                f"compiled models cannot be kept in {self.folder} ({error.strerror or error}), "
                f"so every start compiles again; {CACHE_VARIABLE} names another directory"
            )
            return
        for entry in self.entries()[_MAX_ENTRIES:]:
            for file in (entry.path, entry.path.with_suffix(".json")):
                with contextlib.suppress(OSError):
                    file.unlink()

    def discard(self, key: CacheKey, why: str) -> None:
        """Remove a compiled model that cannot be used; its description keeps the build time."""
        path = self.path(key)
        self._warn(f"the compiled model {path} {why}: compiling it again")
        with contextlib.suppress(OSError):
            path.unlink()

    def describe_changes(self, key: CacheKey) -> str:
        """Say what has changed since this model was last compiled for this device, or nothing."""
        for entry in self.entries():
            if all(entry.key.get(name) == key.get(name) for name in ("model", "device")):
                names = [name for name in key if entry.key.get(name) != key[name]]
                return ", ".join(f"{name} was {entry.key.get(name, 'unknown')}" for name in names)
        return ""

    def last_build_s(self, key: CacheKey) -> float:
        """Return how long this model took to compile before, in seconds; 0 if that is not known."""
        kept = [_read_description(path) for path in self.folder.glob("*.json")]
        times = (float(d["seconds"]) for d in kept if d and d["facts"].get("model") == key["model"])
        return max(times, default=0.0)

    def load_side_file(self, name: str) -> bytes:
        """Return a file kept next to the models, such as a timing cache; empty if it is absent."""
        try:
            return read_own(self.folder / f"{name}.cache")
        except OSError:
            return b""

    def store_side_file(self, name: str, content: bytes) -> None:
        """Keep bytes that only save time and that the engine itself checks."""
        try:
            _write(self.folder / f"{name}.cache", content)
        except OSError as error:
            _log.debug("%s: %s", name, error)

    def entries(self) -> list[CompiledEntry]:
        """List the compiled models, the last used first."""
        found = []
        for path in self.folder.glob("*.blob"):
            try:
                state = path.stat()
            except OSError:
                continue
            about = _read_description(path)
            key, build_s = about.get("facts", {}), about.get("seconds", 0.0)
            found.append(CompiledEntry(path, state.st_size, state.st_mtime, key, build_s))
        return sorted(found, key=lambda entry: -entry.used_s)

    def clear(self) -> int:
        """Remove everything and return how many compiled models there were."""
        count = len(self.entries())
        shutil.rmtree(self.folder, ignore_errors=True)
        return count

    def path(self, key: CacheKey) -> Path:
        """Return the file of the model compiled under this key, whether it exists or not."""
        digest = hashlib.sha256(json.dumps(dict(key), sort_keys=True).encode()).hexdigest()
        return self.folder / f"{key.get('model', 'model')}-{digest[:24]}.blob"

    def _warn(self, message: str) -> None:
        self.warnings.append(message)
        _log.warning(message)


def _write(path: Path, content: bytes) -> None:
    """Write a file so that it appears only whole."""
    make_own_folder(path.parent)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _read_description(path: Path) -> dict[str, Any]:
    """Return what `NAME.json` says of a compiled model; empty if it cannot be read."""
    try:
        about = json.loads(read_own(path.with_suffix(".json")))
        return {"facts": dict(about["facts"]), "seconds": float(about["seconds"]), **about}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
