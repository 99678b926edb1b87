"""The command `unmask doctor`."""

from __future__ import annotations

import typer

from realtime.cli import options as opts
from realtime.runtime.console import print_result


def doctor(model: opts.Model = "fast", models_dir: opts.ModelsDir = None) -> None:
    """Check what works here, and say how to fix what does not."""
    from realtime.doctor.report import examine, table

    checks = examine(model, models_dir)
    for line in table(checks).split("\n"):
        print_result(line)
    if any(check.fatal for check in checks):
        raise typer.Exit(1)
