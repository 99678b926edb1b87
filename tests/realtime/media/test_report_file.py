"""A report is one JSON document that appears when it is complete; its records stay out of memory."""

from __future__ import annotations

import json
import os
import threading
import tracemalloc
from pathlib import Path

import pytest

from inpaint_model.errors import UserError
from realtime.media.report_file import keep_face_records, write_report
from realtime.runtime.report import check_report_path

RECORD = json.dumps({"frame_index": 1234567, "box": [0.25] * 4, "keypoints": [[1.5, 2.5]] * 5})


def test_face_records_of_a_long_video_stay_out_of_memory(tmp_path: Path) -> None:
    path, count = tmp_path / "report.json", 40_000
    tracemalloc.start()
    with keep_face_records(path) as records:
        for _ in range(count):
            records(RECORD)
        write_report(path, {"frames": count}, records)
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert path.stat().st_size > 4_000_000
    assert most_bytes < 400_000
    written = json.loads(path.read_text())
    assert written["frames"] == len(written["face_records"]) == count
    assert [file.name for file in tmp_path.iterdir()] == ["report.json"]


def test_report_that_fails_keeps_the_earlier_one(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("earlier")

    def records():
        yield RECORD
        raise RuntimeError("fails here")

    with pytest.raises(RuntimeError):
        write_report(path, {"frames": 1}, records())
    assert path.read_text() == "earlier"
    assert [file.name for file in tmp_path.iterdir()] == ["report.json"]


def test_report_through_a_link_or_into_a_pipe_is_written_there(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    link, pipe, read = tmp_path / "link.json", tmp_path / "pipe", list[str]()
    link.symlink_to(tmp_path / "folder" / "report.json")
    write_report(link, {"frames": 1}, [])
    assert link.is_symlink()
    assert json.loads(link.read_text())["face_records"] == []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    with keep_face_records(pipe) as records:
        records(RECORD)
        write_report(pipe, {"frames": 1}, records)
    reader.join()
    assert json.loads(read[0])["face_records"] == [json.loads(RECORD)]
    assert pipe.is_fifo()


def test_report_where_nobody_can_write_is_refused() -> None:
    if not Path("/proc").is_dir():
        pytest.skip("there is no folder here that nobody can write to")
    for write in (keep_face_records(Path("/proc/report.json")).__enter__, _write_to_proc):
        with pytest.raises(UserError, match=r"report\.json: .*cannot be written"):
            write()


def _write_to_proc() -> None:
    write_report(Path("/proc/report.json"), {"frames": 1})


def test_report_may_be_replaced_however_many_records_it_has(tmp_path: Path):
    report, other = tmp_path / "report.json", tmp_path / "other.json"
    write_report(report, {"frames": 1}, (f'{{"frame_index": {n}}}' for n in range(10_000)))
    check_report_path(report)
    other.write_text('{"frames": 1}', encoding="utf-8")
    with pytest.raises(UserError, match="is no report"):
        check_report_path(other)
