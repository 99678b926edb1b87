"""Each test has a queue folder of its own, and shortened times."""

from __future__ import annotations

from pathlib import Path

import pytest

from realtime.feed.delivery import DeliveryOptions


@pytest.fixture(autouse=True)
def queue_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the queues; it is made by the first one."""
    monkeypatch.setenv("UNMASK_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("UNMASK_FEED_TOKEN", raising=False)
    return tmp_path / "cache" / "feed"


@pytest.fixture
def options() -> DeliveryOptions:
    """Short delays, so that a receiver that is back is noticed soon."""
    return DeliveryOptions(
        first_delay_s=0.02, most_delay_s=0.1, commit_s=0.02, timeout_s=2.0, farewell_s=1.0
    )
