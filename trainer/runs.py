"""The run folder: configuration as JSON, metrics as CSV, sample sheets, checkpoints and the clock."""

from __future__ import annotations

import csv
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inpaint_model.errors import UserError
from trainer.checkpoint import PIECE_BYTES, newest_checkpoint, read_part, write_checkpoint
from trainer.config import FitConfig
from trainer.run_clock import RunClock

_CONFIG, _METRICS = "config.json", "metrics.csv"
# The seconds used so far, while a run with `minutes` goes on; and its phases, when it is finished.
_CLOCK, _TIMES = "clock.json", "times.json"
_TICK_S = 0.5  # the most time that a killed process takes uncounted, in seconds


class RunFolder:
    """One training run on disk.

    Args:
        path: the folder; `begin` creates it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def begin(self, config: FitConfig, *, resume: bool) -> FitConfig:
        """Create the run, or return the configuration of the one to resume.

        Raises:
            UserError: the folder holds a run and `resume` is false, or the reverse.
        """
        file = self.path / _CONFIG
        if resume:
            return self.config()
        if file.exists():
            raise UserError(f"{self.path}: holds a run already; add --resume or name another")
        self.path.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(config.as_dict(), indent=2) + "\n", encoding="utf-8")
        return config

    def config(self) -> FitConfig:
        """Read the run's configuration."""
        file = self.path / _CONFIG
        if not file.is_file():
            raise UserError(f"{self.path}: holds no run ({_CONFIG} is missing)")
        try:
            return FitConfig.from_dict(json.loads(file.read_text(encoding="utf-8")))
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(f"{file}: not a configuration of this version ({error})") from None

    def log(self, row: Mapping[str, float]) -> None:
        """Append a row to the metrics; later steps of an interrupted run are removed.

        Raises:
            UserError: the file of the metrics is damaged.
        """
        file = self.path / _METRICS
        rows: list[Mapping[str, Any]] = []
        if file.exists():
            try:
                with file.open(newline="", encoding="utf-8") as old:
                    rows += [r for r in csv.DictReader(old) if int(r["step"]) < row["step"]]
            except (ValueError, KeyError, TypeError, csv.Error) as error:
                raise UserError(f"{file}: not the metrics of a run ({error})") from None
        names = list(dict.fromkeys([name for r in [*rows, row] for name in r]))
        part = file.with_suffix(".part")
        with part.open("w", newline="", encoding="utf-8") as new:
            writer = csv.DictWriter(new, names, restval="")
            writer.writeheader()
            writer.writerows([*rows, row])
        part.replace(file)

    def sheet(self, step: int, picture_rgb: NDArray[np.uint8]) -> None:
        """Write a sample sheet, uint8 [H, W, 3] RGB, as PNG."""
        cv2.imwrite(str(self.path / f"sheet-{step:06d}.png"), picture_rgb[:, :, ::-1])

    def save(self, state: Mapping[str, Any], piece_bytes: int = PIECE_BYTES) -> None:
        """Write a checkpoint; older ones are removed.

        Args:
            state: `step` and `average` (the averaged weights), which can be read alone, and the rest.
            piece_bytes: largest size of a file in bytes.
        """
        apart = {name: state[name] for name in ("step", "average")}
        rest = {name: value for name, value in state.items() if name not in apart}
        write_checkpoint(self.path, state["step"], {"average": apart, "state": rest}, piece_bytes)

    def load_average(self) -> dict[str, Any]:
        """Read `step` and `average` of the newest checkpoint from the files `average-*` alone."""
        return read_part(self.path, "average")

    def load(self) -> dict[str, Any]:
        """Read the newest checkpoint."""
        return self.load_average() | read_part(self.path, "state")

    def load_extra(self) -> dict[str, Any]:
        """Read what the newest checkpoint holds of a task beside its network; empty without `state-*`."""
        folder = newest_checkpoint(self.path) or self.path
        if not any(folder.glob("state-*.bin")):
            return {}
        return read_part(self.path, "state").get("extra", {})

    @property
    def has_checkpoint(self) -> bool:
        """Whether there is a complete checkpoint."""
        return newest_checkpoint(self.path) is not None

    @contextmanager
    def keep_time(self, clock: RunClock) -> Iterator[None]:
        """Write the seconds that the run has used twice a second, so that a killed process counts."""
        ended = threading.Event()

        def write() -> None:
            while not ended.wait(_TICK_S):
                self._write(_CLOCK, {"used_s": clock.used_s()})

        writer = threading.Thread(target=write, daemon=True)
        writer.start()
        try:
            yield
        finally:
            ended.set()
            writer.join()
            self._write(_CLOCK, {"used_s": clock.used_s()})

    def used_s(self) -> float:
        """Return the seconds that the run's processes have used; 0 if they were not counted.

        Raises:
            UserError: the file that holds them is damaged.
        """
        file = self.path / _CLOCK
        if not file.is_file():
            return 0.0
        try:
            return float(json.loads(file.read_text(encoding="utf-8"))["used_s"])
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(f"{file}: not the clock of a run ({error})") from None

    def finish(self, clock: RunClock) -> None:
        """Write the seconds of the phases of a run that is finished."""
        self._write(_TIMES, clock.seconds())

    @property
    def finished(self) -> bool:
        """Whether the run had `minutes` and is finished."""
        return (self.path / _TIMES).is_file()

    def _write(self, name: str, values: Mapping[str, float]) -> None:
        part = self.path / f"{name}.part"
        part.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
        part.replace(self.path / name)
