"""A line of the feed on its way to a receiver."""

from __future__ import annotations

from dataclasses import dataclass

from realtime.feed.record import Event


@dataclass(frozen=True)
class Line:
    """One record as text.

    Attributes:
        key: the record's key, which is the same each time the feed runs.
        event: what the record stands for.
        text: its JSON, without a line break.
    """

    key: str
    event: Event
    text: str
