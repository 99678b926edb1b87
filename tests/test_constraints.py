"""The two files of constraints name the same versions, and every one of the second has hashes."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def _pins(text: str) -> set[tuple[str, str]]:
    found = re.findall(r"(?m)^([\w.-]+)==([\w.+!]+)", text)
    return {(re.sub(r"[-_.]+", "-", name).lower(), version) for name, version in found}


def test_constraints_with_hashes_are_up_to_date() -> None:
    hashed = (ROOT / "constraints-hashed.txt").read_text(encoding="utf-8")
    assert _pins(hashed) == _pins((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    entries = re.split(r"(?m)^(?=\w)", hashed)[1:]
    assert all("--hash=sha256:" in entry for entry in entries)
