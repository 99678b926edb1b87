"""Measures a GPU in a few minutes: the device, ten thousand calls, every engine, training speed."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import torch
import typer

from benchmarks.options import MODELS, Models, Out, Rounds
from benchmarks.speed.budget import Budget
from benchmarks.speed.device import describe, find_device, measure_ceilings, name_of, read_state
from benchmarks.speed.engines import Comparison, Device, first_line
from benchmarks.speed.many_calls import call_many_times
from benchmarks.speed.training import training_rows
from benchmarks.tables import Row, markdown
from inpaint_model.artefacts import find_generator
from realtime.media.atomic_file import atomic_write

# The most telling first, as the last may be left out; the table is sorted.
_BATCHES = (1, 64, 4, 16, 2)
# The share of the time after which nothing more of a part is begun; the last tenth is for what has begun.
_CALLS_UNTIL, _ENGINES_UNTIL, _TRAINING_UNTIL = 0.25, 0.55, 0.9
_NOTES = {
    "device": "Memory counts bytes read and written; the bus is between page-locked memory and the GPU.",
    "calls": "One to four crops a call, in turn. A result is wrong if it differs from the first of its size"
    " by more than 3 levels inside the hole, or at all outside.",
    "engines": "The engines take turns in one run. A call takes crops from the host's memory and brings"
    ' them back; "device ms" is the network alone. Shares are of the device\'s matrix product in half'
    " precision (a CPU's in single) and of its memory's bandwidth; they are of the least work: the"
    ' network\'s operations, and what its convolutions read and write. "Levels off" is the largest'
    " difference inside the hole from torch in fp32 on the CPU, of 255: 3 is the limit. Torch lets"
    " convolutions in fp32 run in TF32 on a GPU. An int8 file is another network.",
    "training": "Whole steps with all losses of the last stage, in bf16 where the device has it; a CPU"
    " only rehearses, with narrow networks.",
}


def run(
    model: Models = None,
    batch: Annotated[list[int] | None, typer.Option(help="Crops a call; repeat; 1 to 64.")] = None,
    device: Device = "auto",
    rounds: Rounds = 30,
    soak: Annotated[int, typer.Option(min=1, help="Calls in a row.")] = 10_000,
    minutes: Annotated[float, typer.Option(min=0.1, help="Time of it all.")] = 3.0,
    preset: Annotated[list[str] | None, typer.Option(help="Training; repeat; all.")] = None,
    compiled: Annotated[
        bool | None, typer.Option("--compiled/--no-compiled", help="torch.compile; on a GPU.")
    ] = None,
    out: Out = None,
) -> dict[str, list[Row]]:
    """Measure a device in the given time: its ceilings, a soak, every engine, training speed.

    Writes gpu.json and gpu.md after each part. What no longer fits into the time is listed as left out.
    On a CPU this is a rehearsal.
    """
    budget, chosen, models = Budget(minutes), find_device(device), model or MODELS
    for name in models:
        find_generator(name)
    before, ceilings = read_state(chosen), measure_ceilings(chosen)
    page = _Page(name_of(chosen), f"torch {torch.__version__}; {ceilings}", budget, out)
    page.add("device", lambda: describe(chosen, ceilings, before))
    page.add("calls", lambda: [_soak(models[0], soak, budget)])
    on_gpu = chosen.type == "cuda"
    comparison = Comparison(chosen, ceilings, compiled=on_gpu if compiled is None else compiled)

    def compare(name: str) -> Callable[[], list[Row]]:
        return lambda: comparison.rows(
            name, batch or _BATCHES, rounds, lambda what: budget.allows(_ENGINES_UNTIL, what)
        )

    for name in models:
        page.add("engines", compare(name))
    page.add(
        "training",
        lambda: training_rows(
            preset or (), chosen, lambda what: budget.allows(_TRAINING_UNTIL, what)
        ),
    )
    return page.close()


def _soak(model: str, calls: int, budget: Budget) -> Row:
    row = call_many_times(model, "auto", calls, lambda: budget.allows(_CALLS_UNTIL))
    if int(row["calls"]) < calls:
        budget.leave_out(f"{calls - int(row['calls'])} calls", "the time had passed")
    return row


class _Page:
    """Collects the tables of a run; prints each, and writes them all after each.

    Args:
        device: its name.
        facts: versions and ceilings, in one line.
        budget: the run's time; parts that fail are listed there as left out.
        out: folder for gpu.json and gpu.md; None writes none.
    """

    def __init__(self, device: str, facts: str, budget: Budget, out: Path | None) -> None:
        self._device, self._machine = device, f"{device}; {facts}"
        self._budget, self._out = budget, out
        self._tables: dict[str, list[Row]] = {}

    def add(self, name: str, measure: Callable[[], list[Row]]) -> None:
        """Measure a part and add its rows to a table; a part that fails does not end the run."""
        try:
            rows = measure()
        except Exception as error:  # of any library: the other parts are still to be measured
            self._budget.leave_out(name, first_line(error))
            rows = []
        torch.cuda.empty_cache()  # the engines of the next part have allocators of their own
        if rows:
            self._tables.setdefault(name, []).extend(rows)
            print(f"\n{name}, after {self._budget.spent_s:.0f} s\n\n{markdown(rows)}", flush=True)
        self._write()

    def close(self) -> dict[str, list[Row]]:
        """Write all once more, with what was left out, and return the tables."""
        if self._budget.left_out:
            self._tables["left out"] = self._budget.left_out
            print(f"\nleft out\n\n{markdown(self._budget.left_out)}")
        self._write()
        print(f"\n{self._machine}; {self._budget.spent_s:.0f} s in all")
        return self._tables

    def _write(self) -> None:
        if self._out is None:
            return
        self._out.mkdir(parents=True, exist_ok=True)
        data = {"benchmark": "gpu", "machine": self._machine, "platform": platform.platform()}
        data |= {"seconds": round(self._budget.spent_s, 1), **self._tables}
        with atomic_write(self._out / "gpu.json", overwrite=True) as part:
            part.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
        with atomic_write(self._out / "gpu.md", overwrite=True) as part:
            part.write_text(self._markdown(), encoding="utf-8")

    def _markdown(self) -> str:
        text = [
            f"## Measured on {self._device}",
            "```\npython -m benchmarks gpu --out out\n```",
            f"Machine: {self._machine}. The run took {self._budget.spent_s:.0f} s.",
        ]
        for name, rows in self._tables.items():
            text += [f"### {name.capitalize()}", _NOTES.get(name, ""), markdown(rows)]
        return "\n\n".join(filter(None, text)) + "\n"
