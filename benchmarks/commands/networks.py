"""The commands that compare networks, and the engines and threads that run them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.commands.options import Data, Engine, Out


def table4(
    data: Data,
    runs: Annotated[Path, typer.Option(help="Folder of the runs `glcic` and `paper`.")],
    crops: Annotated[int, typer.Option(help="Train missing runs on so many crops; 0: none.")] = 0,
    width: Annotated[int, typer.Option(help="First channels of runs trained here.")] = 64,
    batch: Annotated[int, typer.Option(help="Crops a step of runs trained here.")] = 32,
    threads: Annotated[int, typer.Option(help="CPU threads of runs trained here.")] = 0,
    out: Out = None,
) -> None:
    """The paper's Table 4: one autoencoder against two of equal budget, beside the printed figures."""
    from benchmarks.quality import table4 as benchmark

    budget = benchmark.Budget(crops, width, batch, threads) if crops else None
    benchmark.run(data, runs, budget, out)


def latency(
    model: Annotated[list[str] | None, typer.Option(help="Model; repeat; fast and paper.")] = None,
    batch: Annotated[list[int] | None, typer.Option(help="Crops a call; repeat; 1 and 4.")] = None,
    engine: Engine = "auto",
    threads: Annotated[int, typer.Option(help="CPU threads; 0: the engine decides.")] = 0,
    out: Out = None,
) -> None:
    """Milliseconds a crop of the generators, and how many times the first is faster."""
    from benchmarks.speed import latency as benchmark

    benchmark.run(model or ["fast", "paper"], batch or [1, 4], engine, threads, out)


def engines(
    model: Annotated[list[str] | None, typer.Option(help="Model; repeat; fast and paper.")] = None,
    batch: Annotated[list[int] | None, typer.Option(help="Crops a call; repeat.")] = None,
    device: Annotated[str, typer.Option(help="auto, cuda or cpu.")] = "auto",
    threads: Annotated[int, typer.Option(help="CPU threads; 0: each engine decides.")] = 0,
    rounds: Annotated[int, typer.Option(min=1, help="Calls of each engine.")] = 30,
    out: Out = None,
) -> None:
    """Every engine that runs here against torch in eager fp32: latency, throughput, share of peak."""
    from benchmarks.speed import engines as benchmark

    benchmark.run(model or ["fast", "paper"], batch or [1, 4], device, threads, out, rounds)


def threads(
    model: Annotated[list[str] | None, typer.Option(help="Model; repeat; fast and paper.")] = None,
    count: Annotated[list[int] | None, typer.Option(help="Threads; repeat; 1 to all.")] = None,
    engine: Engine = "auto",
    rounds: Annotated[int, typer.Option(min=1, help="Runs of each.")] = 3,
    out: Out = None,
) -> None:
    """Frames a second of the whole line against the generator's CPU threads."""
    from benchmarks.speed import threads as benchmark

    benchmark.run(model or ["fast", "paper"], count or (), engine, rounds, out)
