from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest

from realtime.runtime.safe_path import safe_path

VARIABLE = "PYTHONSAFEPATH"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv(VARIABLE, raising=False)
    yield
    os.environ.pop(VARIABLE, None)


def test_safe_path_is_set_meanwhile_and_gone_after() -> None:
    with safe_path():
        assert os.environ[VARIABLE] == "1"
    assert VARIABLE not in os.environ


def test_safe_path_of_the_user_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "yes")
    with safe_path():
        assert os.environ[VARIABLE] == "1"
    assert os.environ[VARIABLE] == "yes"


def test_safe_path_of_two_threads_that_overlap_is_set_for_both_and_gone_after() -> None:
    first_is_in, second_may_leave = threading.Event(), threading.Event()
    seen: list[str | None] = []

    def first() -> None:
        with safe_path():
            first_is_in.set()
            second_may_leave.wait(0.2)  # meanwhile the second comes
        second_may_leave.set()

    def second() -> None:
        first_is_in.wait()
        with safe_path():
            second_may_leave.wait()
            seen.append(os.environ.get(VARIABLE))

    threads = [threading.Thread(target=work) for work in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == ["1"]
    assert VARIABLE not in os.environ
