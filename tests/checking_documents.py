"""Checks commands, options, files and names in documents against the programs and the source."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import itertools
import os
import pkgutil
import re
import shlex
from typing import Any

import typer.main

import inpaint_model
import realtime
import realtime.cli.app
import trainer.__main__
from benchmarks.commands import COMMANDS
from tests.reading_documents import OTHER_PROGRAMS, ROOT, Command, command_variants


def _benchmarks() -> typer.Typer:
    """All benchmarks as one program: each is imported when it is run."""
    app = typer.Typer()
    for name, (module, function, _) in COMMANDS.items():
        app.command(name)(getattr(importlib.import_module(f"benchmarks.{module}"), function))
    return app


PROGRAMS = {
    name: typer.main.get_command(app)
    for name, app in (
        ("unmask", realtime.cli.app.app),
        ("realtime", realtime.cli.app.app),
        ("trainer", trainer.__main__.app),
        ("benchmarks", _benchmarks()),
    )
}
PACKAGES = ("realtime", "inpaint_model", "trainer", "benchmarks", "tests")


def check_command(command: Command) -> None:
    """Assert that the program exists and takes these arguments; nothing is run."""
    settings = list(itertools.takewhile(lambda word: "=" in word, command.words))
    program, *words = command.words[len(settings) :]
    if program.endswith(".sh"):
        assert os.access(ROOT / program, os.X_OK), f"{program}: no script to run"
        scripts = "".join(path.read_text() for path in (ROOT / program).parent.glob("*.sh"))
        for setting in settings:
            assert re.search(rf"\$\{{{setting.split('=')[0]}:?-", scripts), f"{program}: {setting}"
    elif program == "make":
        targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert set(words) <= set(targets), command
    elif program == "python" and words[0] == "-m" and words[1] not in PROGRAMS:
        assert importlib.util.find_spec(words[1]), command
    elif program == "python":
        assert words[0] == "-m", command
        check_arguments(PROGRAMS[words[1]], words[2:], command.is_complete)
    elif program == "unmask":
        check_arguments(PROGRAMS["unmask"], words, command.is_complete)
    else:
        assert program in OTHER_PROGRAMS, f"{program}: neither ours nor a known program"


def check_arguments(program: Any, words: list[str], is_complete: bool) -> None:
    """Assert that the subcommand exists and that it takes the options and values."""
    command, arguments = find_subcommand(program, words)
    if is_complete:
        parse(command, arguments)
        return
    for word in arguments:
        if word.startswith("--"):
            assert word in options_of(command), f"{command.name} has no option {word}"


def check_inline(code: str, foreign_options: set[str] | None = None) -> None:
    """Assert that code in running text exists: a command, option, file, name or call of ours.

    Args:
        code: the code.
        foreign_options: options of other programs, which are not checked.
    """
    first = code.split()[0]
    if first in ("unmask", "make") or code.startswith("python -m"):
        for command in command_variants(shlex.split(code)):
            check_command(Command(command.words, is_complete=False))
    elif re.fullmatch(r"--[a-z][a-z-]*", first):
        known = every_option() | (foreign_options or set())
        assert first in known, f"no command has the option {first}"
    elif re.fullmatch(rf"({'|'.join((*PACKAGES, 'docs'))})/[\w/.-]*", code):
        assert (ROOT / code).exists(), f"{code} does not exist"
    elif re.fullmatch(r"\w+\.py", code):
        found = (file for name in PACKAGES for file in (ROOT / name).rglob(code))
        assert (ROOT / code).is_file() or any(found), f"no file {code}"
    elif re.fullmatch(rf"({'|'.join(PACKAGES)})(\.\w+)+", code):
        pkgutil.resolve_name(code)
    elif match := re.fullmatch(r"(\w+)\((.*)\)", code):
        check_call(match[1], code)


def check_call(name: str, code: str) -> None:
    """Assert that a public class or function takes the keywords of a call."""
    function = getattr(realtime, name, None) or getattr(inpaint_model, name, None)
    if function is None:
        return
    call = ast.parse(code, mode="eval").body
    assert isinstance(call, ast.Call)
    keywords = {keyword.arg or "": None for keyword in call.keywords}
    inspect.signature(function).bind_partial(*call.args, **keywords)


def find_subcommand(program: Any, words: list[str]) -> tuple[Any, list[str]]:
    """Walk from a program to the command that the words name; return it and what is left."""
    command, left = program, list(words)
    while hasattr(command, "commands") and left and not left[0].startswith("-"):
        if left[0].isupper():  # a placeholder
            return command, []
        assert left[0] in command.commands, f"{command.name} has no command {left[0]}"
        command = command.commands[left.pop(0)]
    return command, left


def parse(command: Any, arguments: list[str]) -> dict[str, Any]:
    """Parse arguments as the program does; return the parameters' values by name.

    Raises:
        UsageError: an option is unknown, or a value is wrong or missing.
    """
    try:
        return command.make_context(command.name, list(arguments)).params
    except typer.Exit:  # --help and --version
        return {}


def options_of(command: Any) -> set[str]:
    """The names of a command's options."""
    names = {name for param in command.params for name in (*param.opts, *param.secondary_opts)}
    return names | {"--help"}


def every_option() -> set[str]:
    """The options of all commands of all programs."""
    left, found = list(PROGRAMS.values()), set()
    while left:
        command = left.pop()
        found |= options_of(command)
        left += getattr(command, "commands", {}).values()
    return found


def input_paths(command: Command) -> list[str]:
    """The files, folders and patterns that a command of `unmask` reads."""
    found, arguments = find_subcommand(PROGRAMS["unmask"], list(command.words[1:]))
    values = parse(found, arguments)
    paths = []
    for parameter in found.params:
        if (parameter.metavar or "").startswith(("INPUT", "SOURCE")):
            value = values[parameter.name]
            paths += value if isinstance(value, list | tuple) else [value]
    return [str(path) for path in paths]
