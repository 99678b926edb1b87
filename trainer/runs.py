"""The run folder: configuration as JSON, metrics as CSV, sample sheets and the checkpoint."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from inpaint_model.errors import UserError
from trainer.config import FitConfig

_CONFIG, _METRICS, _CHECKPOINT = "config.json", "metrics.csv", "checkpoint.pt"


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

    def log(self, row: dict[str, float]) -> None:
        """Append a row to the metrics; later steps of an interrupted run are removed."""
        file = self.path / _METRICS
        rows = []
        if file.exists():
            with file.open(newline="", encoding="utf-8") as old:
                rows = [r for r in csv.DictReader(old) if int(r["step"]) < row["step"]]
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

    def save(self, state: dict[str, Any]) -> None:
        """Write the checkpoint; it appears under its name when complete."""
        part = self.path / (_CHECKPOINT + ".part")
        torch.save(state, part)
        part.replace(self.path / _CHECKPOINT)

    def load(self) -> dict[str, Any]:
        """Read the checkpoint; `weights_only` executes nothing from it."""
        file = self.path / _CHECKPOINT
        if not file.is_file():
            raise UserError(f"{self.path}: holds no checkpoint yet")
        return torch.load(file, map_location="cpu", weights_only=True)
