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
from realtime.cli.errors import FAILED, is_debugging, report_error, report_interrupt
from realtime.cli.feed import feed
from realtime.cli.image import image
from realtime.cli.live import live
from realtime.cli.video import video
from realtime.runtime.console import (
    flush_results,
    open_standard_streams,
    print_engine_news,
    print_result,
    print_status,
    quiet_libraries,
)
from realtime.runtime.memory import limit_heaps
from realtime.runtime.signals import stop_on_signals

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
        print_result(f"unmask {__version__}")
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
    stop_on_signals()
    open_standard_streams()
    limit_heaps()
    status = run()
    if not flush_results():
        print_status("error: the results cannot be written to standard output")
        status = FAILED
    sys.exit(status)


def run(arguments: list[str] | None = None) -> int:
    """Run the command line, by default with the process's arguments, and return the exit code.

    0: done. 2: wrong use or bad input. 1: failed. One line on stderr says what was wrong;
    `UNMASK_DEBUG=1` shows the traceback as well.
    """
    with quiet_libraries(enabled=not is_debugging()):
        try:
            with print_engine_news():
                status = app(arguments, prog_name="unmask", standalone_mode=False)
            if status == _INTERRUPTED:
                raise KeyboardInterrupt
            return status if isinstance(status, int) else 0
        except (KeyboardInterrupt, typer.Abort):
            return report_interrupt()
        except Exception as error:
            return report_error(error)
