"""Writes files atomically: an output appears only when it is complete."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inpaint_model.errors import UserError

SYNTHETIC_NOTE = "Made by unmask: lower faces under masks are synthetic, invented by a model."
"""This comment is written into every output file."""


def check_paths(source: Path, target: Path, *, overwrite: bool) -> None:
    """Refuse paths that cannot work or would lose a file, before any work is done.

    Raises:
        UserError: the input is not a file; or the output is the input, is a folder, is in a folder that
            does not exist, or exists already.
    """
    if not source.exists():
        raise UserError(f"{source}: no such file")
    if not source.is_file():
        hint = "; `unmask batch` takes folders" if source.is_dir() else ""
        raise UserError(f"{source}: is not a file{hint}")
    if target.is_dir():
        raise UserError(f"{target}: is a folder; name the output file")
    if not target.parent.is_dir():
        raise UserError(f"{target}: its folder does not exist")
    if target.exists():
        if target.samefile(source):
            raise UserError(f"{target}: the output is the input; name another file")
        if not overwrite:
            raise UserError(f"{target}: exists already; --overwrite replaces it")


@contextmanager
def atomic_write(target: Path) -> Iterator[Path]:
    """Yield a temporary path in the target's folder; rename it to `target` at the end.

    If anything is raised inside, also `KeyboardInterrupt`, the temporary file is removed and `target`
    stays as it was.

    Raises:
        UserError: the target cannot be written.
    """
    temporary = target.with_name(f".{target.name[:40]}.{secrets.token_hex(4)}")
    try:
        # open() applies the process's umask: the file gets the same mode as any other new file.
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except OSError as error:
        raise UserError(f"{target}: cannot be written ({error.strerror})") from None
    try:
        yield temporary
        sync_and_rename(temporary, target)
    except OSError as error:
        if error.filename in (str(temporary), str(target)):
            raise UserError(f"{target}: cannot be written ({error.strerror or error})") from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def sync_and_rename(temporary: Path, target: Path) -> None:
    """Write a finished file through to the disk, then give it its final name.

    Raises:
        OSError: it cannot be moved there.
    """
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    temporary.replace(target)
