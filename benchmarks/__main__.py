"""The benchmarks' command line: `python -m benchmarks COMMAND`; each prints a table and writes JSON."""

from __future__ import annotations

import sys
from importlib import import_module

import typer

from benchmarks.commands import COMMANDS
from inpaint_model.errors import UserError


def main(arguments: list[str]) -> int:
    """Run a command; a UserError is one line and exit code 2."""
    name, *rest = arguments or ["--help"]
    if name == "--help":
        print(__doc__, *(f"{name:13}{about}" for name, (*_, about) in COMMANDS.items()), sep="\n")
        return 0
    try:
        if name not in COMMANDS:
            raise UserError(f"no command '{name}'; there are: {', '.join(COMMANDS)}")
        module, function, _ = COMMANDS[name]
        app = typer.Typer(add_completion=False)
        app.command()(getattr(import_module(f"benchmarks.{module}"), function))
        app(rest, prog_name=f"python -m benchmarks {name}")
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
