"""Compares every engine that runs here with torch in eager fp32, in turn in one run, on a GPU or a CPU."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated

import torch
import typer

from benchmarks.options import BATCHES, MODELS, Batches, Models, Out, Rounds, Threads
from benchmarks.speed.device import Ceilings, find_device, measure_ceilings, name_of, wait
from benchmarks.speed.parity import Images, difference, fill_in_fp32, sample_crops
from benchmarks.speed.roofline import LeastWork, least_work
from benchmarks.speed.turns import REST_S, Times, time_in_turn
from benchmarks.speed.ways import EAGER, Refusal, Way, open_ways
from benchmarks.tables import Row, publish
from inpaint_model.artefacts import find_generator
from inpaint_model.networks.from_onnx import generator_from_onnx

Cells = dict[str, str | float | int]
Device = Annotated[str, typer.Option(help="auto, cuda or cpu.")]
_DEVICE_CALLS = 10  # calls of a GPU in a row, whose time together is divided
_DEVICE_ROUNDS = 5
_NOTHING = "–"
_MEASURED = (
    "ms a call, p50",
    "p95",
    "crops/s",
    "times faster than eager",
    "device ms",
    "share of peak",
    "share of bandwidth",
    "levels off",
    "outside",
)


def run(
    model: Models = None,
    batch: Batches = None,
    device: Device = "auto",
    threads: Threads = 0,
    rounds: Rounds = 30,
    out: Out = None,
) -> list[Row]:
    """Compare every engine that runs here with torch in eager fp32: speed, share of peak, parity.

    Models are fast, paper or ONNX files in full precision. Crops come from and go to the host's memory;
    "device ms" is the network alone. An engine that does not run has a row that says why.
    """
    chosen = find_device(device)
    with contextlib.ExitStack() as stack:
        stack.callback(torch.set_num_threads, torch.get_num_threads())
        torch.set_num_threads(threads or torch.get_num_threads())
        ceilings = measure_ceilings(chosen)
        comparison = Comparison(chosen, ceilings, threads=threads, compiled=chosen.type == "cuda")
        rows: list[Row] = []
        for name in model or MODELS:
            rows += comparison.rows(name, batch or BATCHES, rounds)
        print(f"\n{name_of(chosen)}; {ceilings}")
    return publish("engines", rows, out)


class Comparison:
    """Compares the ways to run a generator on a device.

    Args:
        device: the GPU or the CPU.
        ceilings: what shares are of.
        threads: CPU threads of the engines; 0: each decides.
        compiled: try `torch.compile` too.
    """

    def __init__(
        self, device: torch.device, ceilings: Ceilings, *, threads: int = 0, compiled: bool = False
    ) -> None:
        self._device, self._ceilings = device, ceilings
        self._options = {"threads": threads, "compiled": compiled}
        self._on_gpu = device.type == "cuda"

    def rows(
        self,
        model: str,
        batches: Sequence[int],
        rounds: int,
        allows: Callable[[str], bool] = lambda _: True,
    ) -> list[Row]:
        """Measure one model.

        Args:
            model: fast, paper or an ONNX file.
            batches: numbers of crops a call.
            rounds: timed calls of each way.
            allows: is asked before each batch size, with its name; False leaves it out.

        Returns:
            A row for each way at each batch size, sorted by size; then one for each that cannot run.
        """
        generator = find_generator(model)
        net = generator_from_onnx(generator.path)
        work = least_work(net)
        crops, holes = sample_crops(max(batches))
        reference = fill_in_fp32(net, crops, holes)
        rows: list[Row] = []
        with contextlib.ExitStack() as stack:
            opened = list(open_ways(generator, net, self._device, stack, **self._options))
            ways = [way for way in opened if isinstance(way, Way)]
            for size in batches:
                if allows(f"{model}, batch {size}"):
                    arrays = crops[:size], holes[:size], reference[:size]
                    found = self._measure(ways, work, *arrays, rounds)
                    rows += [{"model": model, "batch": size} | row for row in found]
        rows.sort(key=lambda row: int(row["batch"]))
        refusals = [way for way in opened if isinstance(way, Refusal)]
        return rows + [
            {"model": model, "batch": "all"} | _row(refusal.name, note=refusal.why)
            for refusal in refusals
        ]

    def _measure(
        self,
        ways: Sequence[Way],
        work: LeastWork,
        crops: Images,
        holes: Images,
        reference: Images,
        rounds: int,
    ) -> list[Cells]:
        """Measure one batch size: the rows lack the model's name and the size."""
        filled: dict[str, Images] = {}
        refused: list[Cells] = []
        for way in ways:
            try:  # the first call compiles, captures or tunes
                filled[way.name] = way.fill(crops, holes)
            except Exception as error:  # of any library: the others are still to be measured
                refused.append(_row(way.name, note=first_line(error)))
        ready = [way for way in ways if way.name in filled]
        calls = {way.name: partial(way.fill, crops, holes) for way in ready}
        rest_s, warm_up = 0 if self._on_gpu else REST_S, min(rounds - 1, 2)
        times = time_in_turn(calls, rounds, rest_s=rest_s, warm_up=warm_up)
        device_ms = self._device_ms(ready, len(crops), rounds)
        rows: list[Cells] = []
        for way in ready:
            alone_ms = device_ms.get(way.name)
            speeds = _speeds(times, way.name, len(crops), alone_ms)
            spent_ms = alone_ms or times[way.name].wall_ms()
            shares = work.shares(way.precision, len(crops), spent_ms, self._ceilings)
            if shares is not None:
                speeds["share of peak"], speeds["share of bandwidth"] = map("{:.3f}".format, shares)
            levels, equal = difference(filled[way.name], reference, crops, holes)
            parity = {"levels off": levels, "outside": "equal" if equal else "CHANGED"}
            rows.append(_row(way.name) | speeds | parity)
        return rows + refused

    def _device_ms(self, ways: Sequence[Way], batch: int, rounds: int) -> dict[str, float]:
        """Time the network alone in turn, milliseconds a call, where the copies can be parted."""
        count = _DEVICE_CALLS if self._on_gpu else 1

        def several(call: Callable[[], object]) -> None:
            for _ in range(count):
                call()
            wait(self._device)

        made = {way.name: way.on_device(batch) for way in ways if way.on_device is not None}
        calls = {name: partial(several, call) for name, call in made.items()}
        rounds = min(rounds, _DEVICE_ROUNDS)
        times = time_in_turn(calls, rounds, warm_up=min(rounds - 1, 1))
        return {name: taken.wall_ms() / count for name, taken in times.items()}


def first_line(error: Exception) -> str:
    """Say in one line what went wrong in some library."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def _row(name: str, note: str = "") -> Cells:
    """Make the row of a way, with nothing measured yet."""
    return {"engine": name, **dict.fromkeys(_MEASURED, _NOTHING), "note": note}


def _speeds(times: Mapping[str, Times], name: str, batch: int, device_ms: float | None) -> Cells:
    call_ms = times[name].wall_ms()
    return {
        "ms a call, p50": round(call_ms, 3),
        "p95": round(times[name].wall_ms(95), 3),
        "crops/s": round(1000 * batch / call_ms, 1),
        "times faster than eager": (
            round(times[EAGER].wall_ms() / call_ms, 2) if EAGER in times else _NOTHING
        ),
        "device ms": _NOTHING if device_ms is None else round(device_ms, 3),
    }
