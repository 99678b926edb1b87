"""The scripts for a rented GPU, rehearsed on the CPU without the packages that such a machine lacks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from inpaint_model import open_inpainter

ROOT = Path(__file__).parents[2]
LIMIT_BYTES = 16 * 2**20
ABSENT = ("av", "mediapipe", "nncf", "openvino", "platformdirs")
SMALL = {
    "BATCH": "2",
    "WIDTH": "8",
    "FIT": "--crops 4 --accelerator cpu --threads 1",
    "TABLE4": "--crops 4 --width 4 --threads 1",
    "GPU": "--device cpu --model fast --batch 1 --rounds 1 --soak 4 --preset glcic --no-compiled",
    "TESTS": "tests/trainer/augment/test_device_sampler.py",
}

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")


@pytest.fixture(scope="module")
def training_machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for PYTHONPATH that hides the packages which a training machine lacks."""
    folder = tmp_path_factory.mktemp("machine")
    (folder / "sitecustomize.py").write_text(
        "import importlib.machinery, sys\n"
        "class Without(importlib.machinery.PathFinder):\n"
        "    @classmethod\n"
        "    def find_spec(cls, name, path=None, target=None):\n"
        f"        if name.split('.')[0] not in {ABSENT!r}:\n"
        "            return super().find_spec(name, path, target)\n"
        "sys.meta_path[sys.meta_path.index(importlib.machinery.PathFinder)] = Without\n"
    )
    return folder


@pytest.fixture(scope="module")
def recogniser(shared_data: Path) -> Path:
    folder = shared_data / "recogniser"
    if not folder.is_dir():
        pytest.skip("the recogniser's weights are not here")
    return folder


def rehearse(script: str, machine: Path, out: Path, **settings: object) -> list[str]:
    """Run a script at small size; return the names of the files that would travel home."""
    environment = os.environ | SMALL | {name: str(value) for name, value in settings.items()}
    environment |= {"PYTHON": sys.executable, "PYTHONPATH": f"{machine}{os.pathsep}{ROOT}"}
    environment |= {"OUT": str(out / "out"), "RUNS": str(out / "runs")}
    command = ["bash", str(ROOT / "benchmarks" / "campaign" / script)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith("At home: ")
    files = [path for path in (out / "out").rglob("*") if path.is_file()]
    assert len(files) <= 8
    assert all(path.stat().st_size <= LIMIT_BYTES for path in files)
    return sorted(str(path.relative_to(out / "out")) for path in files)


def unpack(out: Path, name: str) -> Path:
    """Unpack what came home, as the page says; return the folder of the runs."""
    home = out / "home"
    home.mkdir(exist_ok=True)
    command = f"cat {out}/out/{name}.tar.* | tar -x -C {home}"
    subprocess.run(["bash", "-c", command], check=True)
    return home


def test_measure_leaves_a_page_and_the_tests_log(training_machine: Path, tmp_path: Path):
    files = rehearse("measure.sh", training_machine, tmp_path, MINUTES=0.5)
    assert {"gpu.json", "gpu.md", "tests.log"} <= set(files)


def test_table4_brings_both_runs_home(training_machine: Path, prepared_file: Path, tmp_path: Path):
    files = rehearse("table4.sh", training_machine, tmp_path, CELEBA=prepared_file)
    assert {"table4.json", "table4.tar.00"} <= set(files)
    home = unpack(tmp_path, "table4")
    assert (home / "paper" / "config.json").is_file()
    assert list((home / "glcic").glob("checkpoint-*/average-00.bin"))


def test_segmenter_brings_its_average_home(training_machine: Path, wide_file: Path, tmp_path: Path):
    assert rehearse("segmenter.sh", training_machine, tmp_path, FACES=wide_file) == [
        "segmenter.tar.00"
    ]
    home = unpack(tmp_path, "segmenter")
    assert list((home / "segmenter").glob("checkpoint-*/average-00.bin"))


def test_fast_in_time_brings_a_network_home(
    training_machine: Path, wide_file: Path, recogniser: Path, tmp_path: Path
):
    settings: dict[str, object] = {"FACES": wide_file, "RECOGNISER": recogniser, "MINUTES": 0.5}
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
    recogniser: Path,
    tmp_path: Path,
    script: str,
    names: list[str],
):
    settings: dict[str, object] = {"FACES": wide_file, "RECOGNISER": recogniser}
    if script == "paper_mask.sh":
        settings["FIT"] = SMALL["FIT"] + " --width 4"
    files = rehearse(script, training_machine, tmp_path, **settings)
    assert files == [f"{name}.tar.00" for name in names]
