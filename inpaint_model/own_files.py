"""Files and folders that only this user can have changed: what others could have put there is not read.

A cache or the state of an interrupted run lies at a path that others can guess. So a file there counts only
if it is a plain file, belongs to this user or to root, and nobody else may write to it.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

NO_LINKS = getattr(os, "O_NOFOLLOW", 0)  # Windows has no such flag
_WRITE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_PRIVATE_FOLDER, _PRIVATE_FILE = 0o700, 0o600


class ForeignFileError(OSError):
    """Something is there that is no file or folder of the user's own."""


def make_own_folder(folder: Path) -> None:
    """Make a folder that only this user can enter, with its parents; an own one is closed to others.

    Raises:
        ForeignFileError: it belongs to another user, or is a link.
        OSError: it cannot be made.
    """
    for missing in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
        missing.mkdir(_PRIVATE_FOLDER, exist_ok=True)
    state = folder.lstat()
    if not stat.S_ISDIR(state.st_mode) or not _is_trusted(state):
        raise ForeignFileError(None, "belongs to another user", str(folder))
    if hasattr(os, "geteuid") and state.st_uid == os.geteuid() and state.st_mode & 0o077:
        folder.chmod(_PRIVATE_FOLDER)


def claim_file(path: Path) -> None:
    """Make an empty file that only this user can read, or accept an own one that is there.

    Raises:
        ForeignFileError: what is there is a link, no plain file, or another user's.
        OSError: it cannot be made.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | NO_LINKS, _PRIVATE_FILE))
    except FileExistsError:
        check_own(path)


def check_own(path: Path) -> None:
    """Refuse a file that another user can have made or changed.

    Raises:
        ForeignFileError: it is a link, no plain file, or another user's.
        OSError: it cannot be opened.
    """
    os.close(_open_own(path))


def read_own(path: Path) -> bytes:
    """Read a file that nobody else can have changed.

    Raises:
        ForeignFileError: it is a link, no plain file, or another user's.
        OSError: it cannot be read.
    """
    with os.fdopen(_open_own(path), "rb") as file:
        return file.read()


def _open_own(path: Path) -> int:
    state = path.lstat()  # before it is opened: opening a pipe would wait for its writer
    if not stat.S_ISREG(state.st_mode):
        raise ForeignFileError(None, "is not a plain file", str(path))
    descriptor = os.open(path, os.O_RDONLY | NO_LINKS | getattr(os, "O_BINARY", 0))
    state = os.fstat(descriptor)
    if state.st_nlink > 1 or not _is_trusted(state) or state.st_mode & _WRITE_BY_OTHERS:
        os.close(descriptor)
        raise ForeignFileError(
            None, "belongs to another user, or others can write to it", str(path)
        )
    return descriptor


def _is_trusted(state: os.stat_result) -> bool:
    """Say whether a file belongs to this user or to root; Windows does not tell."""
    return not hasattr(os, "geteuid") or state.st_uid in (0, os.geteuid())
