"""The scripts for a rented GPU that measure or need no recogniser, rehearsed on the CPU."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.rehearsal import rehearse, unpack


def test_measure_leaves_a_page_and_the_tests_log(training_machine: Path, tmp_path: Path):
    files = rehearse("measure.sh", training_machine, tmp_path, MINUTES=0.5)
    assert {"gpu.json", "gpu.md", "tests.log"} <= set(files)


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
