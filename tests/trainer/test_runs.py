"""The folder of a run: damaged files in it are refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from inpaint_model.errors import UserError
from trainer.runs import RunFolder


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[1]", b"{}", b'{"used_s": "x"}', b'{"used_s": [1]}', b"\xff"]
)
def test_used_seconds_damaged_clock_is_refused(content: bytes, tmp_path: Path) -> None:
    assert RunFolder(tmp_path).used_s() == 0
    (tmp_path / "clock.json").write_bytes(content)
    with pytest.raises(UserError, match=r"clock\.json: not the clock of a run"):
        RunFolder(tmp_path).used_s()


@pytest.mark.parametrize(
    "content", [b"a,b\n1,2\n", b"step,l1\nx,2\n", b"l1,step\n2\n", b"step\n\xff\n"]
)
def test_log_damaged_metrics_are_refused_and_stay(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_bytes(content)
    with pytest.raises(UserError, match=r"metrics\.csv: not the metrics of a run"):
        RunFolder(tmp_path).log({"step": 5, "l1": 0.5})
    assert (tmp_path / "metrics.csv").read_bytes() == content
