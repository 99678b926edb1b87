"""Standard output and files."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from inpaint_model.errors import UserError
from realtime.feed.delivery import check_out, open_delivery
from realtime.feed.record import FaceRecord
from tests.realtime.feed.delivery.making_receivers import line

BEGINNING = f'{{"{fields(FaceRecord)[0].name}": 1, "key": '  # of every record
_PRINTS = """
from realtime.feed.delivery import check_out, open_delivery
from realtime.feed.line import Line
delivery = open_delivery("-", source_key="", waits=True)
try:
    for number in range(1000000):
        delivery.put(Line(str(number), "face", str(number)))
except BrokenPipeError:
    raise SystemExit(0)
"""


def test_stdout_lines_are_written(capsys: pytest.CaptureFixture[str]) -> None:
    delivery = open_delivery("-", source_key="", waits=True)
    delivery.put(line(1))
    assert capsys.readouterr().out == line(1).text + "\n"
    assert delivery.finish() == 0
    delivery.close()


def test_stdout_reader_gone_ends_without_a_word() -> None:
    command = [sys.executable, "-c", _PRINTS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline() == b"0\n"
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(20) == 0


def test_check_out_bad_file_is_refused(tmp_path: Path) -> None:
    existing = tmp_path / "feed.jsonl"
    existing.write_text(BEGINNING + '"a"}\n')
    (tmp_path / "notes.txt").write_text("my notes")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for out, reason in [
        (tmp_path, "is a folder"),
        (tmp_path / "missing" / "feed.jsonl", "folder does not exist"),
        (existing, "exists already"),
        (tmp_path / "loop", "leads nowhere"),
        (Path("/dev/null"), "is not a file|cannot be written"),
    ]:
        with pytest.raises(UserError, match=reason):
            check_out(str(out), waits=True)
    check_out(str(existing), waits=True, overwrite=True)
    check_out(str(existing), waits=False)  # a live feed is continued
    check_out(str(existing))
    for waits in (None, False, True):
        with pytest.raises(UserError, match="exists already"):
            check_out(str(tmp_path / "notes.txt"), waits=waits)
    with pytest.raises(UserError, match="is not a socket"):
        check_out(f"unix://{existing}")


def test_file_of_a_file_appears_when_complete(tmp_path: Path) -> None:
    target = tmp_path / "feed.jsonl"
    delivery = open_delivery(str(target), source_key="", waits=True)
    for number in range(3):
        delivery.put(line(number))
    assert not target.exists()
    assert delivery.finish() == 0
    delivery.close()
    assert target.read_text().splitlines() == [line(number).text for number in range(3)]
    assert list(tmp_path.iterdir()) == [target]


def test_file_closed_unfinished_leaves_nothing(tmp_path: Path) -> None:
    target = tmp_path / "feed.jsonl"
    target.write_text("before\n")
    delivery = open_delivery(str(target), source_key="", waits=True, overwrite=True)
    delivery.put(line(0))
    delivery.close()
    assert target.read_text() == "before\n"
    assert list(tmp_path.iterdir()) == [target]


def test_file_of_a_live_feed_grows_and_goes_on(tmp_path: Path) -> None:
    target = tmp_path / "feed.jsonl"
    whole, cut = BEGINNING + '"a"}\n', BEGINNING + '"b", "emb'
    for before, kept in ((whole + cut, whole), (whole, whole), (cut, ""), ("", "")):
        target.write_text(before)
        delivery = open_delivery(str(target), source_key="", waits=False)
        delivery.put(line(1))
        assert target.read_text() == kept + line(1).text + "\n"  # before it is closed
        delivery.put(line(2))
        delivery.close()
        assert target.read_text().splitlines()[-1] == line(2).text


def test_file_of_a_live_feed_keeps_what_is_no_feed(tmp_path: Path) -> None:
    target = tmp_path / "notes.txt"
    target.write_text("my notes")
    with pytest.raises(UserError, match="exists already"):
        open_delivery(str(target), source_key="", waits=False)
    assert target.read_text() == "my notes"
    delivery = open_delivery(str(target), source_key="", waits=False, overwrite=True)
    delivery.put(line(1))
    delivery.close()
    assert target.read_text() == line(1).text + "\n"
