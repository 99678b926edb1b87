"""The benchmarks' command line; each prints a table and writes JSON."""

from __future__ import annotations

import sys

import typer

from benchmarks.commands import networks, pictures, videos
from inpaint_model.errors import UserError

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)

# In the order of the help text.
for command in (
    pictures.quality,
    pictures.segmentation,
    pictures.identity,
    pictures.photos,
    pictures.outlines,
    pictures.sheet,
    pictures.empty,
    pictures.bare,
    pictures.realism,
    pictures.appearance,
    pictures.hashes,
    videos.video,
    videos.stability,
    videos.live,
    videos.soak,
    videos.cold_start,
    networks.table4,
    networks.latency,
    networks.engines,
    networks.threads,
    videos.file_fps,
    videos.memory,
    videos.kills,
    videos.hostile,
):
    app.command()(command)
app.command("all")(videos.run_all)


def main() -> None:
    """Run a command; a UserError is one line and exit code 2."""
    try:
        app()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
