"""Writes a report as one JSON document; face records are streamed, so memory does not grow with them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from inpaint_model.errors import UserError
from realtime.media.atomic_file import atomic_write
from realtime.runtime.report import is_report

SCHEMA_VERSION = 1
"""Of the report; a key that changes its meaning or goes away raises it."""


class FaceRecords:
    """Keeps face records on the disk until the report is written. Called with a record, it adds it.

    Args:
        file: open for reading and writing text; None: nothing is kept.
    """

    def __init__(self, file: IO[str] | None) -> None:
        self._file = file

    def __call__(self, record: str) -> None:
        """Add a record, one line of JSON.

        Raises:
            UserError: the disk is full.
        """
        if self._file is not None:
            try:
                self._file.write(record + "\n")
            except OSError as error:
                raise UserError(f"the face records cannot be kept ({error.strerror})") from None

    def __iter__(self) -> Iterator[str]:
        """Yield the records in the order in which they came."""
        if self._file is not None:
            self._file.seek(0)
            for line in self._file:
                yield line.rstrip("\n")


@contextmanager
def keep_face_records(report: Path | None) -> Iterator[FaceRecords]:
    """Open a file without a name beside the report for its face records.

    Args:
        report: the path of the report; None: no report is written, and nothing is kept.

    Raises:
        UserError: no file can be written there.
    """
    if report is None:
        yield FaceRecords(None)
        return
    folder = None if _is_special(report) else report.resolve().parent
    try:
        file = tempfile.TemporaryFile("w+", encoding="utf-8", dir=folder)  # noqa: SIM115
    except OSError as error:
        raise UserError(f"{report}: the report cannot be written ({error.strerror})") from None
    with file:
        yield FaceRecords(file)


def write_report(
    path: Path,
    figures: Mapping[str, object],
    records: Iterable[str] | None = None,
    *,
    overwrite: bool = False,
    source: Path | None = None,
) -> None:
    """Write a report; it appears only when it is complete. A pipe or a device is written to directly.

    An earlier report is replaced.

    Args:
        path: the JSON file.
        figures: of the run, as JSON values.
        records: face records, one line of JSON each, for the list `face_records`; None: there is no list.
        overwrite: replace any other file as well.
        source: nobody may read the report who may not read this file.

    Raises:
        UserError: it cannot be written there.
    """
    try:
        if _is_special(path):
            with path.open("w", encoding="utf-8") as file:
                _write(file, figures, records)
            return
        overwrite = overwrite or (path.is_file() and is_report(path))
        with (
            atomic_write(path.resolve(), overwrite=overwrite, source=source) as temporary,
            temporary.open("w", encoding="utf-8") as file,
        ):
            _write(file, figures, records)
    except OSError as error:
        raise UserError(f"{path}: the report cannot be written ({error.strerror})") from None


def _is_special(path: Path) -> bool:
    return path.exists() and not path.is_file()


def _write(file: IO[str], figures: Mapping[str, object], records: Iterable[str] | None) -> None:
    text = json.dumps({"schema_version": SCHEMA_VERSION, **figures}, indent=2)
    if records is not None:
        file.write(text.removesuffix("\n}") + ',\n  "face_records": [')
        for number, record in enumerate(records):
            file.write(f"{',' if number else ''}\n    {record}")
        text = "\n  ]\n}"
    file.write(text + "\n")
