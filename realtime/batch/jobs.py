"""Finds the files of a batch and the target of each, and records what is done."""

from __future__ import annotations

import glob
import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from inpaint_model.errors import UserError
from realtime.media.codecs import CONTAINERS
from realtime.media.growing_file import GrowingFile
from realtime.media.kinds import WRITTEN_PICTURES, is_known, is_picture, walk_files

_RECORD = ".unmask-batch.jsonl"


@dataclass(frozen=True)
class Job:
    """One file of a batch.

    Attributes:
        source, target: paths.
        done_key: the content key with which the existing target was written, or "".
        written_by_batch: a batch wrote the existing target, and it has not changed since.
    """

    source: str
    target: str
    done_key: str = ""
    written_by_batch: bool = False


@dataclass(frozen=True)
class Outcome:
    """The result of a job.

    Attributes:
        source, target: paths.
        status: "done", "skipped" (done earlier), "no face" or "failed".
        message: why it failed, or the warnings.
        key: content key: a hash of source, model and options.
        frames, masked_faces, seconds: figures of the run.
    """

    source: str
    target: str
    status: str
    message: str = ""
    key: str = ""
    frames: int = 0
    masked_faces: int = 0
    seconds: float = 0.0


def find_jobs(
    inputs: Iterable[str], out: Path, left_out: list[Path] | None = None, *, follow: bool = True
) -> list[Job]:
    """List the pictures and videos that folders, patterns and paths name; `out` mirrors folder trees.

    Args:
        inputs: what the user wrote.
        out: the folder of the results.
        left_out: files in the folders that are no picture or video are appended.
        follow: also take the files that links in the folders, or matched by a pattern, name.

    Raises:
        UserError: an input does not exist, or two would be written to the same target.
    """
    targets: dict[Path, Path] = {}
    left_out = [] if left_out is None else left_out
    for text in inputs:
        for source, relative in _expand(text, out, left_out, follow=follow):
            target = _target(source, out / relative)
            before = targets.setdefault(target, source)
            if before != source:
                raise UserError(f"{before} and {source} would both be written as {target}")
    if not targets:
        others = f" (only {len(left_out)} other files)" if left_out else ""
        raise UserError(f"the inputs contain no picture or video{others}")
    return [Job(str(source), str(target)) for target, source in targets.items()]


def _expand(
    text: str, out: Path, left_out: list[Path], *, follow: bool
) -> Iterator[tuple[Path, Path]]:
    """Yield each file that an input names, and its path below `out`."""
    path = Path(text)
    if path.is_dir():
        yield from _walk(path, out, left_out, follow=follow)
    elif path.exists():
        yield path, Path(path.name)
    else:
        found = _matching(text, follow=follow)
        if not found:
            raise UserError(f"{text}: no such file or folder, and nothing matches it")
        for path in found:
            if path.is_dir():
                yield from _walk(path, out, left_out, Path(path.name), follow=follow)
            elif is_known(path):
                yield path, Path(path.name)
            else:
                left_out.append(path)


def _matching(pattern: str, *, follow: bool) -> list[Path]:
    """List what a pattern matches; hidden files, and what links to folders lead to, are left out."""
    parts = [part if part == "**" else re.sub(r"\*+", "*", part) for part in Path(pattern).parts]
    fixed = [*map(glob.has_magic, parts), True].index(True)
    folder, rest = Path(*parts[:fixed]), parts[fixed:]
    wants_hidden = any(part.startswith(".") for part in rest)

    def is_taken(path: Path) -> bool:
        names = path.relative_to(folder).parts
        if not wants_hidden and any(name.startswith(".") for name in names):
            return False
        links = [step for step in [path, *path.parents][: len(names)] if step.is_symlink()]
        return not links or (follow and links == [path] and not path.is_dir())

    # Unlike `glob.glob`, this does not enter links to folders, which may form loops.
    return sorted(filter(is_taken, folder.glob(str(Path(*rest))))) if rest else []


def _walk(
    folder: Path, out: Path, left_out: list[Path], prefix: Path = Path(), *, follow: bool
) -> Iterator[tuple[Path, Path]]:
    """Yield the files of a folder tree without the results."""
    for path in walk_files(folder, leave_out=out, follow=follow):
        if is_known(path):
            yield path, prefix / path.relative_to(folder)
        else:
            left_out.append(path)


def _target(source: Path, path: Path) -> Path:
    """Keep the suffix if that format can be written; otherwise append .png or .mkv."""
    suffix = path.suffix.lower()
    if suffix in WRITTEN_PICTURES or suffix in CONTAINERS:
        return path
    return path.with_name(path.name + (".png" if is_picture(source) else ".mkv"))


class Record:
    """Records in the folder of the results what was written there, one JSON line a file.

    Args:
        out: the folder.

    Attributes:
        missing: how many outcomes could not be recorded.
        error: why the last of them could not.
    """

    def __init__(self, out: Path) -> None:
        self._out, self._path = out, out / _RECORD
        self._entries: dict[str, dict[str, object]] = {}
        self.missing, self.error = 0, ""
        try:
            text = self._path.read_text(encoding="utf-8") if self._path.is_file() else ""
        except (OSError, UnicodeDecodeError):
            text = ""
        self._is_torn = text[-1:] not in ("", "\n")  # a killed run's last line may be incomplete
        for line in text.splitlines():
            try:
                entry = json.loads(line)
                self._entries[str(entry["target"])] = entry
            except (ValueError, KeyError, TypeError):
                continue

    def known(self, job: Job) -> Job:
        """Return the job with what is recorded about its target."""
        entry = self._entries.get(self._name(job.target))
        if entry is None:
            return job
        stamp = _stamp(Path(job.target))
        if not stamp or entry.get("stamp") != stamp:
            return job
        return Job(job.source, job.target, str(entry.get("key", "")), written_by_batch=True)

    def has_no_face(self, outcome: Outcome) -> bool:
        """Say whether no face was found in a file, in this batch or in the earlier one that did it."""
        entry = self._entries.get(self._name(outcome.target), {})
        status = entry.get("status") if outcome.status == "skipped" else outcome.status
        return status == "no face"

    def add(self, outcome: Outcome) -> None:
        """Append an outcome; failed and skipped files are not recorded."""
        if outcome.status not in ("done", "no face"):
            return
        entry = {**asdict(outcome), "target": self._name(outcome.target)}
        entry["stamp"] = _stamp(Path(outcome.target))
        line = ("\n" if self._is_torn else "") + json.dumps(entry) + "\n"
        try:
            with GrowingFile(self._path, "a") as file:
                file.write(line.encode())
            self._is_torn = False
        except OSError as error:
            self._is_torn, self.missing = True, self.missing + 1
            self.error = f"{self._path}: cannot be written ({error.strerror})"

    def _name(self, target: str) -> str:
        return os.path.relpath(target, self._out)


def _stamp(path: Path) -> list[int]:
    """Return a file's size and modification time, empty if it does not exist."""
    try:
        status = path.stat()
    except OSError:
        return []
    return [status.st_size, status.st_mtime_ns]
