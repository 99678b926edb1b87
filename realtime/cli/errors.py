"""Turns every exception into one line on stderr and an exit code."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import ParamSpec

from inpaint_model.errors import UserError
from realtime.runtime.console import print_status

DEBUG_VARIABLE = "UNMASK_DEBUG"
FAILED, BAD_INPUT = 1, 2
_MANY_FILES = "; `unmask batch INPUT... --out DIR` takes many files"
# What to say where a command is given more words than it takes.
_TOO_MANY_WORDS = {
    "unmask image": _MANY_FILES,
    "unmask video": _MANY_FILES,
    "unmask live": "; --source names the camera, address or file",
}


_Options = ParamSpec("_Options")


def names_source(command: Callable[_Options, None]) -> Callable[_Options, None]:
    """Let `report_error` name the file of the command's option `source`."""

    @functools.wraps(command)
    def named(*words: _Options.args, **options: _Options.kwargs) -> None:
        try:
            command(*words, **options)
        except Exception as error:
            error.add_note(str(options["source"]))
            raise

    return named


def is_debugging() -> bool:
    """Say whether the user wants tracebacks and the libraries' own output."""
    return bool(os.environ.get(DEBUG_VARIABLE))


def report_interrupt() -> int:
    """Report Ctrl-C, SIGTERM or a declined prompt; return the exit code."""
    return _fail("stopped; no output was written", FAILED)


def report_error(error: Exception) -> int:
    """Report an exception; return the exit code."""
    if isinstance(error, UserError):
        return _fail(str(error), error.exit_code)
    if type(error).__name__ == "NoArgsIsHelpError":  # no command given: the message is the help
        print(error.format_message())  # pyright: ignore[reportAttributeAccessIssue]
        return BAD_INPUT
    if hasattr(error, "format_message"):  # wrong use, found by Typer
        message = error.format_message()  # pyright: ignore[reportAttributeAccessIssue]
        message = message.replace("Value error, ", "")  # Typer's validator adds it
        context = getattr(error, "ctx", None)
        command = context.command_path if context is not None else "unmask"
        hint = _TOO_MANY_WORDS.get(command, "") if "unexpected extra argument" in message else ""
        return _fail(f"{message}{hint} (see `{command} --help`)", BAD_INPUT)
    if isinstance(
        error, BrokenPipeError
    ):  # such as `| head`: the reader of the results wants no more
        return FAILED
    source = "".join(f"{note}: " for note in getattr(error, "__notes__", ()))
    text = f"{type(error).__name__}: {error} ({DEBUG_VARIABLE}=1 shows where)"
    return _fail(f"failed: {source}{text}", FAILED)


def _fail(message: str, exit_code: int) -> int:
    if is_debugging():
        import traceback

        traceback.print_exc()
    print_status("error: " + " ".join(message.split()))
    return exit_code
