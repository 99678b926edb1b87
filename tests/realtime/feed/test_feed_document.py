"""The tables of docs/feed.md name what there is."""

from __future__ import annotations

import inspect
from dataclasses import fields

from realtime import FaceRecord, unmask_faces
from tests.reading_documents import ROOT, read_tables

TABLES = dict(read_tables(ROOT / "docs" / "feed.md"))


def first_cells(table: str) -> list[str]:
    return [row[0].strip("`") for row in TABLES[table]]


def test_page_has_every_key_of_a_line() -> None:
    keys = [field.name for field in fields(FaceRecord) if not field.name.endswith("_rgb")]
    assert first_cells("key of a line") == keys


def test_page_has_every_argument_of_unmask_faces() -> None:
    parameters = list(inspect.signature(unmask_faces).parameters.values())
    stated = [
        (row[0].strip("`"), row[1].strip("`").replace('"', "'"))
        for row in TABLES["argument of `unmask_faces`"]
    ]
    defaults = ["" if p.default is p.empty else repr(p.default) for p in parameters]
    assert stated == list(zip([p.name for p in parameters], defaults, strict=True))
