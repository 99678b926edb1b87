"""Checkpoints as folders of small files, for machines that give files back in limited sizes."""

from __future__ import annotations

import hashlib
import io
import pickle
import shutil
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from inpaint_model.errors import UserError

PIECE_BYTES = 15 * 2**20  # largest size of a file
_HEADER = struct.Struct(">HH32s")  # number of the piece, count of pieces, SHA-256 of them all


def write_checkpoint(
    run: Path, step: int, parts: Mapping[str, Any], piece_bytes: int = PIECE_BYTES
) -> None:
    """Write the folder `checkpoint-STEP` into a run, then remove the run's older checkpoints.

    The folder gets its name when it is complete. A part is cut into the files `PART-00.bin`,
    `PART-01.bin`, ...; each can be read without the other parts. A checkpoint of the same step
    is left as it is.

    Args:
        run: the run's folder.
        step: number of steps done.
        parts: what `torch.save` can write and `weights_only` can read, by name.
        piece_bytes: largest size of a file in bytes.
    """
    done = run / f"checkpoint-{step:06d}"
    if not done.exists():
        unfinished = done.with_suffix(".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        for name, content in parts.items():
            _write_part(unfinished, name, content, piece_bytes)
        unfinished.rename(done)
    for other in run.glob("checkpoint-*"):
        if other != done:
            shutil.rmtree(other)


def read_part(run: Path, name: str) -> Any:
    """Read one part of a run's newest checkpoint to the CPU; nothing in it is executed.

    Without a folder `checkpoint-STEP` the part's pieces may lie in the run's folder itself.

    Raises:
        UserError: there is no checkpoint, or a piece of the part is missing or damaged.
    """
    folder = newest_checkpoint(run) or run
    files = sorted(folder.glob(f"{name}-*.bin"))
    if folder == run and not files:
        raise UserError(f"{run}: holds no checkpoint yet")
    pieces = [file.read_bytes() for file in files]
    if any(len(piece) < _HEADER.size for piece in pieces):
        raise UserError(f"{folder}: a piece of {name}-*.bin is damaged")
    headers = [_HEADER.unpack_from(piece) for piece in pieces]
    there, count = {header[0] for header in headers}, headers[0][1] if headers else 1
    missing = sorted(set(range(count)) - there)
    if missing:
        raise UserError(f"{folder / _file_name(name, missing[0])}: this piece is missing")
    content = b"".join(piece[_HEADER.size :] for piece in pieces)
    digests = {header[2] for header in headers}
    if digests != {hashlib.sha256(content).digest()}:
        raise UserError(f"{folder}: a piece of {name}-*.bin is damaged")
    try:
        return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except (RuntimeError, pickle.UnpicklingError) as error:
        line = str(error).splitlines()[0]
        raise UserError(f"{folder}: not a checkpoint of this version ({line})") from None


def newest_checkpoint(run: Path) -> Path | None:
    """Return the folder of a run's complete checkpoint of the most steps; None if there is none."""
    found = [path for path in run.glob("checkpoint-*") if path.name[11:].isdigit()]
    return max(found, key=lambda path: int(path.name[11:]), default=None)


def _write_part(folder: Path, name: str, content: Any, piece_bytes: int) -> None:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    whole = buffer.getbuffer()
    digest = hashlib.sha256(whole).digest()
    payload = piece_bytes - _HEADER.size
    count = -(-len(whole) // payload)
    for index in range(count):
        with (folder / _file_name(name, index)).open("wb") as file:
            file.write(_HEADER.pack(index, count, digest))
            file.write(whole[index * payload : (index + 1) * payload])


def _file_name(part: str, index: int) -> str:
    return f"{part}-{index:02d}.bin"
