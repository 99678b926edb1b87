"""Prints a benchmark's figures as a Markdown table and writes them as JSON."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path

Row = Mapping[str, str | float | int]


def publish(
    name: str,
    rows: Sequence[Row],
    out: Path | None,
    details: Mapping[str, object] | None = None,
    *,
    printed: Sequence[Row] | None = None,
) -> list[Row]:
    """Print rows as a Markdown table; write them with the machine's name to `out/name.json`.

    Args:
        name: the benchmark's name.
        rows: one mapping a row, all with the same keys.
        out: folder for the JSON; None writes none.
        details: more entries for the JSON, such as the names of photographs that failed.
        printed: rows that the table shows in place of these.

    Returns:
        The rows.
    """
    print(f"\n{name}\n\n{markdown(rows if printed is None else printed)}")
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        data = {"benchmark": name, "machine": platform.platform(), "rows": [dict(r) for r in rows]}
        data |= details or {}
        (out / f"{name}.json").write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    return list(rows)


def markdown(rows: Sequence[Row]) -> str:
    """Write rows, one mapping each with the same keys, as a Markdown table."""
    lines = [list(rows[0]), ["---"] * len(rows[0])]
    lines += [[_text(row[column]) for column in rows[0]] for row in rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def stage_times(stages: Mapping[str, Mapping[str, float]]) -> str:
    """Write the median time of each stage of a report, ms, into one cell."""
    return ", ".join(f"{name} {values['p50_ms']:.1f}" for name, values in stages.items())


def _text(value: str | float | int) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value).replace("|", "/")
