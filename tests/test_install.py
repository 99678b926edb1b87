"""The wheel, installed alone into an empty environment, works there; so does every command that mends it.

They need a package index and take minutes: `python -m pytest -m slow tests/test_install.py`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest

import realtime
from inpaint_model.installation import PACKAGES
from realtime.demo.clip import CameraPath, DemoClip
from tests.realtime.making_media import write_video

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]
LARGEST_MB = 880  # of the environment, pip included, and few compiled modules
MB = 1e6
SHORT_DEMO = """
import sys
from realtime.cli.app import run
from realtime.demo import clip, run as demo
short = clip.CameraPath(side=256, seconds=0.2)
demo.DemoClip = lambda **more: clip.DemoClip(path=short, **more)
sys.exit(run(["demo"]))
"""


class Environment:
    """A virtual environment with the wheel, used from an empty folder and without our constraints."""

    def __init__(self, folder: Path, wheel: Path) -> None:
        self.folder, self.desk, self.empty = (folder / name for name in ("env", "desk", "empty"))
        self.desk.mkdir()
        self.empty.mkdir()
        subprocess.run([sys.executable, "-m", "venv", str(self.folder)], check=True)
        self.bin = self.folder / ("Scripts" if sys.platform == "win32" else "bin")
        self.pip("install", str(wheel))

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment, which is not activated."""
        words = [str(self.bin / command[0]), *command[1:]]
        return subprocess.run(words, cwd=self.desk, env=_kept(), capture_output=True, text=True)

    def pip(self, *arguments: str) -> None:
        done = self.run("python", "-m", "pip", "--quiet", *arguments)
        assert done.returncode == 0, done.stderr

    @property
    def packages(self) -> Path:
        """The folder of the installed packages."""
        code = "import sysconfig; print(sysconfig.get_path('purelib'))"
        return Path(self.run("python", "-c", code).stdout.strip())

    def mend(self, commands: list[str]) -> None:
        """Run commands as a shell does, from the empty folder."""
        assert commands
        for command in dict.fromkeys(commands):
            done = subprocess.run(
                command, shell=True, cwd=self.empty, env=_kept(), capture_output=True, text=True
            )
            assert done.returncode == 0, f"{command}\n{done.stderr}"


def _kept() -> dict[str, str]:
    """The variables for a program of the environment: pip compiles no modules, few of which are used."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return kept | {"PIP_COMPILE": "0"}


def mends(said: str, state: str, check: str = "") -> list[str]:
    """Return the commands that the doctor printed for checks in a state."""
    found, wanted = [], False
    for line in said.splitlines():
        if not line.startswith(" "):
            wanted = line.startswith(f"{state} {check}")
        elif wanted:
            found.append(line.split("-> ")[1])
    return [command for command in found if " -m pip " in command]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    folder = tmp_path_factory.mktemp("install")
    pip = [sys.executable, "-m", "pip", "--quiet"]
    reach = [*pip, "download", "--no-deps", "--dest", str(folder / "reach"), "platformdirs"]
    if subprocess.run(reach, capture_output=True).returncode:
        pytest.skip("no package index can be reached")
    clone = folder / "clone"
    for name in PACKAGES:
        shutil.copytree(ROOT / name, clone / name, ignore=shutil.ignore_patterns("*.task"))
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, clone)
    built = [*pip, "wheel", "--no-deps", "--wheel-dir", str(folder), str(clone)]
    subprocess.run(built, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return Environment(folder, wheel)


def test_wheel_alone_unmasks(environment: Environment) -> None:
    desk = environment.desk
    clip = DemoClip(path=CameraPath(side=192, seconds=0.2, zoom=(0.8, 0.9)))
    cv2.imwrite(str(desk / "in.png"), clip.masked_rgb(0)[:, :, ::-1])
    write_video(desk / "in.mp4", clip.masked_bgr())
    for arguments in (
        "--version",
        "doctor",
        "image in.png out.png",
        "video in.mp4 out.mp4",
        "live --source in.mp4 --sink none",
        "batch in.png in.mp4 --out done",
    ):
        done = environment.run("unmask", *arguments.split())
        assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
    assert environment.run("unmask", "--version").stdout == f"unmask {realtime.__version__}\n"
    assert environment.run("python", "-m", "pip", "check").returncode == 0
    size = sum(file.lstat().st_size for file in environment.folder.rglob("*"))
    assert size < LARGEST_MB * MB


def test_demo_without_its_extra_says_the_mend(environment: Environment) -> None:
    done = environment.run("unmask", "demo")
    assert done.returncode == 2
    line = done.stderr.splitlines()[-1]
    assert line.startswith("unmask: error: the demo needs scikit-image")
    environment.mend([line.split("photograph: ")[1]])
    done = environment.run("python", "-c", SHORT_DEMO)
    assert done.returncode == 0, done.stderr
    assert (environment.desk / "demo" / "before_after.mp4").is_file()


@pytest.mark.parametrize("check", ["engine onnxruntime", "virtual camera"])
def test_mend_of_a_note_works(check: str, environment: Environment) -> None:
    environment.mend(mends(environment.run("unmask", "doctor").stdout, "note", check))
    assert mends(environment.run("unmask", "doctor").stdout, "note", check) == []


def _other_opencv(environment: Environment) -> None:
    environment.pip("install", "--no-deps", "opencv-contrib-python==4.12.0.88")


def _opencv_without_windows(environment: Environment) -> None:
    environment.pip("install", "--no-deps", "opencv-python-headless==4.12.0.88")


def _no_opencv(environment: Environment) -> None:
    environment.pip("uninstall", "-y", "opencv-python", "opencv-contrib-python")


def _no_openvino(environment: Environment) -> None:
    environment.pip("uninstall", "-y", "openvino", "onnxruntime")


def _no_pyav(environment: Environment) -> None:
    environment.pip("uninstall", "-y", "av")


def _no_weights(environment: Environment) -> None:
    for file in (environment.packages / "inpaint_model" / "weights").iterdir():
        file.unlink()


@pytest.mark.parametrize(
    "damage",
    [_other_opencv, _opencv_without_windows, _no_opencv, _no_openvino, _no_pyav, _no_weights],
    ids=lambda damage: damage.__name__.strip("_"),
)
def test_mend_of_a_damage_works(
    damage: Callable[[Environment], None], environment: Environment
) -> None:
    damage(environment)
    done = environment.run("unmask", "doctor")
    assert done.returncode == 1
    environment.mend(mends(done.stdout, "BAD"))
    done = environment.run("unmask", "doctor")
    assert done.returncode == 0, done.stdout


def test_mend_of_a_foreign_realtime_works(environment: Environment, tmp_path: Path) -> None:
    foreign = tmp_path / "other_realtime-2.0-py3-none-any.whl"
    with zipfile.ZipFile(foreign, "w") as wheel:
        about = "other_realtime-2.0.dist-info"
        wheel.writestr("realtime/__init__.py", "def connect(): ...\n")
        wheel.writestr(
            f"{about}/METADATA", "Metadata-Version: 2.1\nName: other-realtime\nVersion: 2.0\n"
        )
        wheel.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{about}/RECORD", "realtime/__init__.py,,\n")
    environment.pip("install", str(foreign))
    done = environment.run("unmask", "doctor")
    assert done.returncode == 1
    line, *mends = done.stderr.splitlines()
    assert "other-realtime put it there" in line
    environment.mend(mends)
    assert environment.run("unmask", "doctor").returncode == 0
