"""The finder of the trackers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from realtime.detect.face_finder import FaceFinder


@pytest.fixture(scope="module")
def finder() -> Iterator[FaceFinder]:
    """One finder for all trackers: it remembers nothing, and takes half a second to open."""
    with FaceFinder() as finder:
        yield finder
