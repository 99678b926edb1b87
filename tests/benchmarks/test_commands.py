"""The command line: every command can be imported, tables are printed and written, errors are one line."""

from __future__ import annotations

import inspect
import json
from importlib import import_module
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.commands import COMMANDS
from benchmarks.tables import publish


@pytest.mark.parametrize("name", COMMANDS)
def test_command_has_a_documented_function(name: str):
    module, function, _ = COMMANDS[name]
    run = getattr(import_module(f"benchmarks.{module}"), function)
    assert inspect.getdoc(run)


def test_main_help_lists_every_command(capsys: pytest.CaptureFixture[str]):
    assert main(["--help"]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()[1:]]
    assert listed == list(COMMANDS)


def test_main_unknown_command_is_one_line(capsys: pytest.CaptureFixture[str]):
    assert main(["speed"]) == 2
    assert capsys.readouterr().err.startswith("error: no command 'speed'; there are: quality, ")


def test_main_bad_size_is_one_line(capsys: pytest.CaptureFixture[str]):
    assert main(["memory", "--size", "big"]) == 2
    assert capsys.readouterr().err == "error: --size: big is not a size such as 1280x720\n"


def test_publish_prints_a_table_and_writes_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    publish("speed", [{"what": "a|z", "fps": 31.25}, {"what": "b", "fps": 7}], tmp_path)
    assert "| a/z | 31.25 |" in capsys.readouterr().out
    assert json.loads((tmp_path / "speed.json").read_text())["rows"][1] == {"what": "b", "fps": 7}
