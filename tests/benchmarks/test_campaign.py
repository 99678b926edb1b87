"""The scripts for a rented GPU that measure or need no recogniser, rehearsed on the CPU."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.speed.ways import EAGER
from tests.benchmarks.rehearsal import rehearse, unpack


@pytest.mark.slow
def test_measure_leaves_a_page_and_the_tests_log(training_machine: Path, tmp_path: Path):
    files = rehearse("measure.sh", training_machine, tmp_path, MINUTES=9)
    assert {"gpu.json", "gpu.md", "tests.log"} <= set(files)
    found = json.loads((tmp_path / "out" / "gpu.json").read_text())
    (calls,) = found["calls"]
    assert (calls["calls"], calls["wrong results"]) == (8, 0)
    rows = {row["engine"]: row for row in found["engines"]}
    assert next(iter(rows)) == EAGER
    assert (rows[EAGER]["levels off"], rows[EAGER]["outside"]) == (0, "equal")
    assert float(rows[EAGER]["share of peak"]) > 0
    assert "No module named 'openvino'" in rows["openvino"]["note"]
    assert found["training"][0]["crops/s"] > 0, found["training"]
    assert "left out" not in found
    page = (tmp_path / "out" / "gpu.md").read_text()
    assert f"Machine: {found['machine']}" in page
    assert all(f"### {part}" in page for part in ("Device", "Calls", "Engines", "Training"))


@pytest.mark.slow
def test_table4_brings_both_runs_home(training_machine: Path, prepared_file: Path, tmp_path: Path):
    files = rehearse("table4.sh", training_machine, tmp_path, CELEBA=prepared_file)
    assert {"table4.json", "table4.tar.00"} <= set(files)
    home = unpack(tmp_path, "table4")
    assert (home / "paper" / "config.json").is_file()
    assert list((home / "glcic").glob("checkpoint-*/average-00.bin"))


def test_segmenter_brings_its_average_home(training_machine: Path, wide_file: Path, tmp_path: Path):
    assert rehearse("segmenter.sh", training_machine, tmp_path, FACES=wide_file) == [
        "segmenter.tar.00"
    ]
    home = unpack(tmp_path, "segmenter")
    assert list((home / "segmenter").glob("checkpoint-*/average-00.bin"))
