"""Lets an output file appear only when it is complete."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inpaint_model.errors import UserError

SYNTHETIC_NOTE = "Made by unmask: lower faces under masks are synthetic, invented by a model."
"""The tag of every file that is written."""


def check_paths(source: Path, target: Path, *, overwrite: bool) -> None:
    """Refuse what would lose a file of the user's, before any work is done.

    Raises:
        UserError: the input is not a file, the output is the input, a folder, in a folder that does
            not exist, or exists already.
    """
    if not source.exists():
        raise UserError(f"{source}: no such file")
    if not source.is_file():
        raise UserError(f"{source}: is not a file")
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
    """Give a temporary path beside `target` to write to; move it there when all went well.

    Whatever is raised inside, `KeyboardInterrupt` included, the temporary file is removed and
    `target` stays as it was.

    Raises:
        UserError: nothing can be written there.
    """
    temporary = target.with_name(f".{target.name[:40]}.{secrets.token_hex(4)}")
    try:
        # The process's umask applies by itself: the finished file has the rights of any new file.
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
