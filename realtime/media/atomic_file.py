"""The one writer: an output appears only when it is complete, and replaces nothing unless it may.

Until then it has a random hidden name beside its place. It is made anew (never an existing file or a link),
and on Linux it is reached by its open descriptor, so that nobody can put a link under its name meanwhile.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inpaint_model.errors import UserError
from inpaint_model.own_files import NO_LINKS, check_own

SYNTHETIC_NOTE = "Made by unmask: lower faces under masks are synthetic, invented by a model."
"""This comment is written into every output file that shows a filled face."""

_UNFINISHED = "part"  # suffix of the temporary files
_NEW_FILE = os.O_RDWR | os.O_CREAT | os.O_EXCL | NO_LINKS
_OWNER, _OTHERS = 0o600, 0o066  # access rights


class TargetTakenError(UserError):
    """Another program has made the target meanwhile; the result is kept under another name."""


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
    check_free(target, overwrite=overwrite)


def check_free(target: Path, *, overwrite: bool) -> None:
    """Refuse to replace a file, or to write where a symbolic link leads, unless that is allowed.

    Raises:
        UserError: the target exists, or is a link.
    """
    if overwrite:
        return
    if target.exists():
        raise UserError(f"{target}: exists already; --overwrite replaces it")
    if target.is_symlink():
        raise UserError(f"{target}: is a symbolic link; --overwrite writes the file that it names")


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
def atomic_write(
    target: Path, *, overwrite: bool, source: Path | None = None, sync: bool = True
) -> Iterator[Path]:
    """Yield a temporary path; give the file that was written there its name at the end.

    If the target is a symbolic link, the file that it names is written. If anything is raised inside,
    also `KeyboardInterrupt`, the temporary file is removed and `target` stays as it was.

    Args:
        target: the output.
        overwrite: replace a file that is there at the end.
        source: what the output was made from: nobody may read the output who may not read the source.
        sync: write it through to the disk first, so that it is whole even after a power cut.

    Raises:
        TargetTakenError: a file is there that must not be replaced; the result is kept beside it.
        UserError: the target cannot be written.
    """
    place = place_of(target)
    temporary = hidden_path(place, f"{secrets.token_hex(8)}.{_UNFINISHED}")
    rights = _OWNER | _OTHERS
    if source is not None:
        with contextlib.suppress(OSError):  # a source that is gone by now
            rights &= _OWNER | source.stat().st_mode
    try:
        descriptor = os.open(temporary, _NEW_FILE, rights)  # the process's umask applies as well
    except OSError as error:
        raise UserError(f"{target}: cannot be written ({error.strerror})") from None
    opened = _opened_path(descriptor, temporary)
    try:
        try:
            yield opened
            if sync:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if overwrite:
            temporary.replace(place)
        else:
            _publish(temporary, place, target)
    except OSError as error:
        if error.filename in (None, str(opened), str(temporary), str(place)):
            raise UserError(f"{target}: cannot be written ({error.strerror or error})") from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def _opened_path(descriptor: int, path: Path) -> Path:
    """Return a path that leads to the open file itself, whatever is put under its name."""
    opened = Path(f"/proc/self/fd/{descriptor}")
    return opened if opened.exists() else path


def _publish(temporary: Path, place: Path, target: Path) -> None:
    """Give a file its name unless a file has it; else a name with a number.

    Raises:
        TargetTakenError: it has the other name.
        OSError: it cannot be moved there.
    """
    names = (place.with_stem(f"{place.stem[:50]}-{number}") for number in itertools.count(2))
    for name in itertools.chain([place], names):
        with contextlib.suppress(FileExistsError):
            _rename_to_free(temporary, name)
            if name is not place:
                raise TargetTakenError(
                    f"{target}: another program made this file meanwhile; the result is kept as {name}"
                )
            return


def _rename_to_free(temporary: Path, name: Path) -> None:
    """Move a file to a name that no file has; two programs cannot both succeed.

    Raises:
        FileExistsError: a file has the name.
        OSError: it cannot be moved there.
    """
    try:
        os.link(temporary, name)
        temporary.unlink()
    except FileExistsError:
        raise
    except OSError:  # a disk without hard links, such as FAT: an empty file takes the name first
        os.close(os.open(name, _NEW_FILE, _OWNER))
        temporary.replace(name)


def hidden_path(place: Path, kind: str) -> Path:
    """Return the path of a hidden file that belongs to an output."""
    name = place.name
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return place.with_name(f".{name[:32]}.{digest}.{kind}")


def remove_unfinished(place: Path) -> None:
    """Remove what killed programs left of an output. No other program may be writing it."""
    prefix = hidden_path(place, "").name
    for path in place.parent.iterdir():
        if path.name.startswith(prefix) and path.suffix == f".{_UNFINISHED}":
            with contextlib.suppress(OSError):
                check_own(path)
                path.unlink()


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
