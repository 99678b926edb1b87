"""What the tests of several stages share."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.realtime.making_feed import Check, line_check, write_masked_clip, write_pictures
from tests.realtime.x_display import XDisplay, display_in_memory


@pytest.fixture(scope="module")
def display(tmp_path_factory: pytest.TempPathFactory) -> Iterator[XDisplay]:
    """A display in memory."""
    with display_in_memory(tmp_path_factory.mktemp("display")) as display:
        yield display


@pytest.fixture
def no_thread_is_left() -> Iterator[None]:
    """Every thread that the test starts has ended after it; earlier ones may end meanwhile."""
    before = set(threading.enumerate())
    yield
    assert not set(threading.enumerate()) - before


@pytest.fixture
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost source is tried again ten times as often."""
    monkeypatch.setattr("realtime.capture.reconnecting._RETRY_INTERVAL_S", 0.05)


@pytest.fixture
def mask() -> NDArray[np.bool_]:
    """An oval mask over the lower face of a crop, bool [128, 128]."""
    mask = np.zeros((128, 128), np.uint8)
    cv2.ellipse(mask, (64, 82), (28, 24), 0, 0, 360, 1, -1)
    return mask > 0


@pytest.fixture(scope="session")
def masked_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of a face that wears a mask."""
    return write_masked_clip(tmp_path_factory.mktemp("feed"))


@pytest.fixture(scope="session")
def picture_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a masked face, a bare one, a broken picture and a text."""
    return write_pictures(tmp_path_factory.mktemp("pictures"))


@pytest.fixture(scope="session")
def check_line() -> Check:
    """Checks a line of the feed against its schema, and returns its values."""
    return line_check()
