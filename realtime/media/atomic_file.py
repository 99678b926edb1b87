"""Lets an output file appear only when it is complete."""

from __future__ import annotations

import os
import tempfile
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
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name[:40]}.", dir=target.parent)
        os.close(handle)
    except OSError as error:
        raise UserError(f"{target}: cannot be written ({error.strerror})") from None
    temporary = Path(name)
    try:
        yield temporary
        settle(temporary, target)
    except OSError as error:
        if error.filename in (name, str(target)):
            raise UserError(f"{target}: cannot be written ({error.strerror or error})") from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def settle(temporary: Path, target: Path) -> None:
    """Give a finished file its name, once the disk has all of it.

    Raises:
        OSError: it cannot be moved there.
    """
    temporary.chmod(_mode_of_new_files())
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    temporary.replace(target)


def _mode_of_new_files() -> int:
    """Temporary files are private; the finished one gets the rights any new file would have."""
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask
