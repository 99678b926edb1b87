"""The command `unmask doctor`."""

from __future__ import annotations

import typer

from realtime.cli.options import Model, ModelsDir


def doctor(model: Model = "fast", models_dir: ModelsDir = None) -> None:
    """Check what works here, and say how to fix what does not."""
    from realtime.doctor.report import examine, table

    checks = examine(model, models_dir)
    print(table(checks))
    if any(check.fatal for check in checks):
        raise typer.Exit(1)
