"""Reads the files of networks and identifies them by their SHA-256."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from inpaint_model.errors import UserError
from inpaint_model.limits import Limits

WEIGHTS_DIR = Path(__file__).parent / "weights"
# The protobuf bytes by which a tensor names the file that holds its values, up to the name's length.
_EXTERNAL_FILE = re.compile(rb"\x0a\x08location\x12(?:([\x01-\x7f])|([\x80-\xff][\x01-\x1f]))")


@dataclass(frozen=True)
class Artefact:
    """One file that holds a network.

    Attributes:
        name: the network's name.
        path: the file.
        sha256: SHA-256 of its bytes, in hex, and of the files beside an ONNX file that hold its weights.
    """

    name: str
    path: Path
    sha256: str


def read_model(path: Path) -> bytes:
    """Read the file of a network; its size is looked at first.

    Raises:
        UserError: it cannot be read, or is over the limit of `Limits.file_mb`.
    """
    try:
        Limits.of_environment().check_file(path, path.stat().st_size)
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None


def sha256_with_external(path: Path, content: bytes) -> str:
    """Return the SHA-256 of an ONNX file, together with the files beside it that hold its weights."""
    names = set[bytes]()
    for found in _EXTERNAL_FILE.finditer(content):
        low, *high = found[1] or found[2]
        length = low & 0x7F | (high[0] << 7 if high else 0)
        names.add(content[found.end() : found.end() + length])
    files = [path.parent / os.fsdecode(name) for name in sorted(names) if b"\0" not in name]
    hashes = [_file_sha256(file) for file in files if file.is_file()]
    return sha256("".join([sha256(content), *hashes]).encode()) if hashes else sha256(content)


def _file_sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None


def sha256(content: bytes) -> str:
    """Return the SHA-256 of a file's bytes, in hex."""
    return hashlib.sha256(content).hexdigest()
