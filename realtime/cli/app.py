"""The command line `unmask`. Commands import heavy modules when they run, so that help is instant."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from realtime import __version__
from realtime.cli.batch import batch
from realtime.cli.demo import demo
from realtime.cli.doctor import doctor
from realtime.cli.engine import app as engine
from realtime.cli.errors import is_debugging, report_error, report_interrupt
from realtime.cli.feed import feed
from realtime.cli.image import image
from realtime.cli.live import live
from realtime.cli.video import video
from realtime.runtime.console import print_engine_news, quiet_libraries, stop_on_sigterm

_INTERRUPTED = 130  # Typer's exit code for Ctrl-C
app = typer.Typer(
    name="unmask",
    help="Shows the face behind a surgical mask. What it shows there is invented by a model.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
)
for command in (image, video, live, batch, feed, demo, doctor):
    app.command()(command)
app.add_typer(engine, name="engine")


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"unmask {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version and exit.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Entry point: run the command line and exit."""
    sys.exit(run())


def run(arguments: list[str] | None = None) -> int:
    """Run the command line, by default with the process's arguments, and return the exit code.

    0: done. 2: wrong use or bad input. 1: failed. One line on stderr says what was wrong;
    `UNMASK_DEBUG=1` shows the traceback as well.
    """
    with quiet_libraries(enabled=not is_debugging()):
        try:
            with stop_on_sigterm(), print_engine_news():
                status = app(arguments, prog_name="unmask", standalone_mode=False)
            if status == _INTERRUPTED:
                raise KeyboardInterrupt
            return status if isinstance(status, int) else 0
        except (KeyboardInterrupt, typer.Abort):
            return report_interrupt()
        except Exception as error:
            return report_error(error)
