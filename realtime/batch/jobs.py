"""Finds the files of a batch and where each result goes, and remembers what is done."""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from inpaint_model.errors import UserError
from realtime.media.codecs import CONTAINERS
from realtime.media.pictures import SUFFIXES

PICTURES = {*SUFFIXES, ".bmp", ".tif", ".tiff"}
VIDEOS = {
    *CONTAINERS,
    *(".avi", ".ts", ".mts", ".m2ts", ".mpg", ".mpeg", ".wmv", ".flv", ".3gp", ".ogv"),
}
_RECORD = ".unmask-batch.jsonl"


@dataclass(frozen=True)
class Job:
    """One file of a batch.

    Attributes:
        source, target: paths.
        done_key: the content key under which the target was written earlier, or "".
        is_ours: the target that exists was written by a batch and has not been touched since.
    """

    source: str
    target: str
    done_key: str = ""
    is_ours: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of a job.

    Attributes:
        source, target: paths.
        status: "done", "skipped" (done earlier), "no face" or "failed".
        message: why it failed.
        key: content key of source, model and options.
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


def find_jobs(inputs: Iterable[str], out: Path) -> list[Job]:
    """List the files of folders, globs and names; a folder's tree is mirrored in `out`.

    Raises:
        UserError: an input does not exist, or two would be written to one place.
    """
    targets: dict[Path, Path] = {}
    for text in inputs:
        for source, relative in _expand(text, out):
            target = _target(out / relative)
            before = targets.setdefault(target, source)
            if before != source:
                raise UserError(f"{before} and {source} would both be written as {target}")
    if not targets:
        raise UserError("there is no picture or video in what was named")
    return [Job(str(source), str(target)) for target, source in targets.items()]


def _expand(text: str, out: Path) -> Iterator[tuple[Path, Path]]:
    path = Path(text)
    if path.is_dir():
        yield from _walk(path, out)
    elif path.exists():
        yield path, Path(path.name)
    else:
        found = sorted(glob.glob(text, recursive=True)) if glob.has_magic(text) else []  # noqa: PTH207
        if not found:
            raise UserError(f"{text}: no such file or folder, and nothing matches it")
        for name in found:
            if Path(name).is_dir():
                yield from _walk(Path(name), out, Path(Path(name).name))
            elif Path(name).suffix.lower() in PICTURES | VIDEOS:
                yield Path(name), Path(Path(name).name)


def _walk(folder: Path, out: Path, prefix: Path = Path()) -> Iterator[tuple[Path, Path]]:
    """Go through a tree, but not through links to folders nor through the results."""
    results = out.resolve()
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if (Path(place) / name).resolve() != results)
        for name in sorted(names):
            path = Path(place) / name
            if path.suffix.lower() in PICTURES | VIDEOS and not name.startswith("."):
                yield path, prefix / path.relative_to(folder)


def _target(path: Path) -> Path:
    """Keep the suffix where that kind is written, else take one that loses nothing."""
    suffix = path.suffix.lower()
    if suffix in SUFFIXES or suffix in CONTAINERS:
        return path
    return path.with_name(path.name + (".png" if suffix in PICTURES else ".mkv"))


class Record:
    """Remembers in the folder of the results what was written there, a JSON line a file.

    Args:
        out: the folder.
    """

    def __init__(self, out: Path) -> None:
        self._out, self._path = out, out / _RECORD
        self._entries: dict[str, dict[str, object]] = {}
        try:
            lines = self._path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            lines = []
        for line in lines:
            try:  # the last line of a killed run may be half a line
                entry = json.loads(line)
                self._entries[str(entry["target"])] = entry
            except (ValueError, KeyError, TypeError):
                continue

    def known(self, job: Job) -> Job:
        """Return the job with what is known of its target."""
        entry = self._entries.get(self._name(job.target))
        if entry is None:
            return job
        ours = entry.get("stamp") == _stamp(Path(job.target))
        key = str(entry.get("key", "")) if ours else ""
        return Job(job.source, job.target, key, ours and Path(job.target).exists())

    def add(self, outcome: Outcome) -> None:
        """Note what was written."""
        if outcome.status not in ("done", "no face"):
            return
        entry = {**asdict(outcome), "target": self._name(outcome.target)}
        entry["stamp"] = _stamp(Path(outcome.target))
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")

    def _name(self, target: str) -> str:
        return os.path.relpath(target, self._out)


def _stamp(path: Path) -> list[int]:
    try:
        status = path.stat()
    except OSError:
        return []
    return [status.st_size, status.st_mtime_ns]
