"""The scripts for a rented GPU that train generators, rehearsed on the CPU: they take a minute."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inpaint_model import open_inpainter
from tests.benchmarks.rehearsal import SMALL, rehearse, unpack

pytestmark = pytest.mark.slow


def test_fast_in_time_brings_a_network_home(
    training_machine: Path, wide_file: Path, recogniser_weights: Path, tmp_path: Path
):
    settings: dict[str, object] = {
        "FACES": wide_file,
        "RECOGNISER": recogniser_weights,
        "MINUTES": 0.4,
    }
    settings["FIT"] = "--accelerator cpu --threads 1"
    assert rehearse("fast.sh", training_machine, tmp_path, **settings) == ["fast.tar.00"]
    crops = np.zeros((1, 128, 128, 3), np.uint8)
    with open_inpainter(str(unpack(tmp_path, "fast") / "fast" / "fast.onnx")) as inpainter:
        assert inpainter(crops, np.ones((1, 128, 128), np.uint8)).shape == crops.shape


@pytest.mark.parametrize(
    ("script", "names"),
    [("paper_mask.sh", ["paper-mask"]), ("distilled.sh", ["distilled", "teacher"])],
)
def test_other_generators_come_home(
    training_machine: Path,
    wide_file: Path,
    recogniser_weights: Path,
    tmp_path: Path,
    script: str,
    names: list[str],
):
    settings: dict[str, object] = {"FACES": wide_file, "RECOGNISER": recogniser_weights}
    if script == "paper_mask.sh":
        settings["FIT"] = SMALL["FIT"] + " --width 4"
    files = rehearse(script, training_machine, tmp_path, **settings)
    assert files == [f"{name}.tar.00" for name in names]
