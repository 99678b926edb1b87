"""Writes files atomically: an output appears only when it is complete."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inpaint_model.errors import UserError

SYNTHETIC_NOTE = "Made by unmask: lower faces under masks are synthetic, invented by a model."
"""This comment is written into every output file that shows a filled face."""


def check_paths(source: Path, target: Path, *, overwrite: bool) -> None:
    """Refuse paths that cannot work or would lose a file, before any work is done.

    Raises:
        UserError: the input is not a file; or the output is the input, is a folder or a device, is in a
            folder that does not exist, or exists already.
    """
    place = place_of(target)
    if not source.exists():
        raise UserError(f"{source}: no such file")
    if not source.is_file():
        hint = "; `unmask batch` takes folders" if source.is_dir() else ""
        raise UserError(f"{source}: is not a file{hint}")
    if target.is_dir():
        raise UserError(f"{target}: is a folder; name the output file")
    if not place.parent.is_dir():
        raise UserError(f"{target}: its folder does not exist")
    if target.exists():
        if not target.is_file():
            raise UserError(f"{target}: is not a file that can be replaced")
        if target.samefile(source):
            raise UserError(f"{target}: the output is the input; name another file")
        if not overwrite:
            raise UserError(f"{target}: exists already; --overwrite replaces it")


def place_of(target: Path) -> Path:
    """Return the path at which an output is written; a symbolic link is followed and stays.

    Raises:
        UserError: the link refers to itself.
    """
    place = Path(os.path.realpath(target)) if target.is_symlink() else target
    if place.is_symlink():
        raise UserError(f"{target}: is a symbolic link that leads nowhere")
    return place


@contextmanager
def atomic_write(target: Path) -> Iterator[Path]:
    """Yield a temporary path in the target's folder; rename it to `target` at the end.

    If the target is a symbolic link, the file that it names is replaced.

    If anything is raised inside, also `KeyboardInterrupt`, the temporary file is removed and `target`
    stays as it was.

    Raises:
        UserError: the target cannot be written.
    """
    place = place_of(target)
    temporary = place.with_name(f".{place.name[:40]}.{secrets.token_hex(4)}")
    try:
        # open() applies the process's umask: the file gets the same mode as any other new file.
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except OSError as error:
        raise UserError(f"{target}: cannot be written ({error.strerror})") from None
    try:
        yield temporary
        sync_and_rename(temporary, place)
    except OSError as error:
        if error.filename in (str(temporary), str(place)):
            raise UserError(f"{target}: cannot be written ({error.strerror or error})") from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def check_writable(folder: Path) -> None:
    """Refuse a folder in which no file can be made.

    Raises:
        UserError: the message says why.
    """
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UserError(f"{folder}: cannot be written ({error.strerror})") from None


def make_folder(folder: Path) -> None:
    """Make a folder for outputs, with its parents, if it does not exist.

    Raises:
        UserError: it cannot be made, or no file can be written in it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise UserError(f"{folder}: is not a folder") from None
    except OSError as error:
        raise UserError(f"{folder}: cannot be made ({error.strerror})") from None
    check_writable(folder)


def sync_and_rename(temporary: Path, target: Path) -> None:
    """Write a finished file through to the disk, then give it its final name.

    Raises:
        OSError: it cannot be moved there.
    """
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    temporary.replace(target)
