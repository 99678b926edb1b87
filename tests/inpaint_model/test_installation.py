"""A package that has taken the place of ours is told, and what mends an installation is a whole command."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from inpaint_model import installation, launcher
from inpaint_model.installation import (
    PACKAGES,
    Rival,
    find_rival,
    for_this_python,
    reinstall_command,
    requirement,
)

ROOT = Path(__file__).parents[2]


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A folder into which pip installed another project's `realtime`."""
    (tmp_path / "realtime").mkdir()
    (tmp_path / "realtime" / "__init__.py").write_text("raise SystemExit('it was imported')\n")
    about = tmp_path / "other_realtime-2.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: other-realtime\nVersion: 2.0\n")
    (about / "top_level.txt").write_text("realtime\n")
    return tmp_path


def run_python(code: str, *path: Path) -> subprocess.CompletedProcess[str]:
    search = {"PYTHONPATH": os.pathsep.join(map(str, path))}
    command = [sys.executable, "-P", "-c", code]
    return subprocess.run(command, env=os.environ | search, capture_output=True, text=True)


@pytest.mark.parametrize("package", PACKAGES)
def test_find_rival_here_finds_none(package: str) -> None:
    assert find_rival(package) is None


def test_unmask_with_foreign_realtime_says_so(foreign: Path) -> None:
    done = run_python("from inpaint_model.launcher import main; main()", foreign, ROOT)
    assert done.returncode == 1
    line, *mends = done.stderr.splitlines()
    assert line.startswith(f"unmask: error: the package `realtime` at {foreign}")
    assert "other-realtime put it there" in line and "environment of its own" in line
    assert mends[0] == f"  {for_this_python('pip uninstall -y other-realtime')}"
    assert "-m pip install --force-reinstall --no-deps" in mends[1]


def test_find_rival_hidden_by_ours_is_told(foreign: Path) -> None:
    code = "from inpaint_model.installation import find_rival; print(find_rival('realtime'))"
    done = run_python(code, ROOT, foreign)
    assert done.stdout.startswith("other-realtime also installed `realtime`; ours took its place")


def test_find_rival_missing_package_has_no_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "find_spec", lambda _: None)
    monkeypatch.setattr(installation.importlib.util, "find_spec", lambda _: None)
    rival = find_rival("realtime")
    assert rival is not None and rival.imported and rival.found == "nowhere"
    assert len(Rival("realtime", (), "", imported=True).mends) == 1


def test_find_rival_without_init_is_told_where_it_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = ModuleSpec("realtime", None, is_package=True)
    spec.submodule_search_locations = ["/there/realtime"]
    for module in (launcher, installation.importlib.util):
        monkeypatch.setattr(module, "find_spec", lambda _: spec)
    rival = find_rival("realtime")
    assert rival is not None and rival.imported and rival.found == "/there/realtime"


def test_for_this_python_names_its_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation.sys, "executable", "/with space/python")
    text = "pip install a, or pip uninstall -y b"
    quoted = "'/with space/python'"
    assert for_this_python(text) == (
        f"{quoted} -m pip install a, or {quoted} -m pip uninstall -y b"
    )
    monkeypatch.setattr(installation.importlib.util, "find_spec", lambda _: None)
    assert for_this_python(text) == (
        f"uv pip install --python {quoted} a, or uv pip uninstall --python {quoted} b"
    )


def test_requirement_has_the_range_of_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["av-extra>=1", "av<19,>=18", 'ray<3,>=2.50; extra == "cluster"']
    monkeypatch.setattr(installation.importlib.metadata, "requires", lambda _: lines)
    assert requirement("av") == '"av<19,>=18"'
    assert requirement("ray") == '"ray<3,>=2.50"'
    assert requirement("torch") == '"torch"'


@pytest.mark.parametrize(
    ("origin", "words"),
    [
        (None, "unmask-video"),
        ({"url": "file:///a/b%20c.whl", "archive_info": {}}, "'/a/b c.whl'"),
        ({"url": "file:///clone", "dir_info": {}}, "/clone"),
        ({"url": "file:///clone", "dir_info": {"editable": True}}, "--editable /clone"),
        ({"url": "https://host/a.whl", "archive_info": {}}, "https://host/a.whl"),
    ],
)
def test_reinstall_command_names_where_it_came_from(
    origin: dict[str, object] | None, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if origin is not None:
        (tmp_path / "direct_url.json").write_text(json.dumps(origin))
    here = importlib.metadata.PathDistribution(tmp_path)
    monkeypatch.setattr(installation.importlib.metadata, "distribution", lambda _: here)
    assert reinstall_command() == f"pip install --force-reinstall {words}"
