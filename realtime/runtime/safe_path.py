"""Keeps Python processes that are started from importing modules of the working directory."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_VARIABLE = "PYTHONSAFEPATH"
_ONE_AT_A_TIME = threading.Lock()  # the environment is the whole process's


@contextmanager
def safe_path() -> Iterator[None]:
    """Python processes that are started meanwhile import nothing from the working directory."""
    with _ONE_AT_A_TIME:
        before = os.environ.get(_VARIABLE)
        os.environ[_VARIABLE] = "1"
        try:
            yield
        finally:
            if before is None:
                del os.environ[_VARIABLE]
            else:
                os.environ[_VARIABLE] = before
