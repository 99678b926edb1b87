"""The records of a clip."""

from __future__ import annotations

from pathlib import Path

import pytest

from realtime.feed.faces import unmask_faces
from realtime.feed.record import FaceRecord


@pytest.fixture(scope="session")
def records(masked_clip: Path) -> list[FaceRecord]:
    """The records of the clip, by the real networks."""
    return list(unmask_faces(masked_clip))
