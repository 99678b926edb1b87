"""Small real data the tests make for themselves, from scikit-image's public-domain photograph."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

from realtime.detect.face_finder import FaceFinder
from realtime.frames import Face

# A machine for training has no packages for video and faces: `pytest -m gpu` collects the rest there.
if any(importlib.util.find_spec(name) is None for name in ("av", "openvino", "platformdirs")):
    collect_ignore = [
        "realtime",
        "benchmarks/test_find.py",
        "benchmarks/test_find_streams.py",
        "benchmarks/test_judge.py",
        "benchmarks/test_live.py",
        "benchmarks/test_points.py",
        "benchmarks/test_realism.py",
        "benchmarks/test_recognition.py",
        "benchmarks/test_speed.py",
        "test_documents.py",
        "trainer/data/test_person_matte.py",
        "trainer/export/test_tflite_export.py",
    ]


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory):
    """Keep the tests out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNMASK_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


# The beginnings of variables that libraries set when they are imported or used, and pytest's own.
_OTHERS = (
    *("CUDA_", "GLOG_", "NNCF_", "OPENCV_", "PYTEST_", "PYTHONBREAKPOINT"),
    *("PYTORCH_", "RAY_", "TF_CPP_", "TORCHINDUCTOR_"),
)


@pytest.fixture(autouse=True)
def process_stays_as_it_is() -> Iterator[None]:
    """Fail a test that leaves another environment or working directory to the tests after it."""
    before = _process_state()
    yield
    changed = sorted({name for name, _ in before ^ _process_state()})
    assert not changed, f"the test leaves another {', '.join(changed)}"


def _process_state() -> set[tuple[str, str]]:
    values = {**os.environ, "working directory": os.getcwd()}  # noqa: PTH109 - it is faster
    return {item for item in values.items() if not item[0].startswith(_OTHERS)}


@pytest.fixture(scope="session")
def astronaut_rgb() -> NDArray[np.uint8]:
    """A real face, 512x512 RGB."""
    return np.ascontiguousarray(skimage.data.astronaut())


@pytest.fixture(scope="session")
def astronaut_face(astronaut_rgb: NDArray[np.uint8]) -> Face:
    """The face found in it, with landmarks."""
    with FaceFinder() as finder:
        (face,) = finder.find_all(np.ascontiguousarray(astronaut_rgb[:, :, ::-1]))
    return face


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Third-party research data beside the checkout; tests that need it skip where it is absent."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the research data beside the checkout is not here")
    return folder


@pytest.fixture(scope="session")
def recogniser_weights(shared_data: Path) -> Path:
    """The folder of the face recogniser's weights."""
    folder = shared_data / "recogniser"
    if not folder.is_dir():
        pytest.skip("the recogniser's weights are not here")
    return folder


@pytest.fixture(scope="session")
def photo_folder(
    tmp_path_factory: pytest.TempPathFactory, astronaut_rgb: NDArray[np.uint8]
) -> Path:
    """Photographs in LFW's layout: one person, moved, turned, and recoloured."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for person in ("Ann_One", "Bea_Two", "Cyd_Three", "Dee_Four"):
        (folder / person).mkdir()
        for number in range(1, 7):
            turn = cv2.getRotationMatrix2D((224, 120), float(rng.uniform(-15, 15)), 0.6)
            turn[:, 2] += np.array([-99, -10]) + rng.uniform(-8, 8, 2)
            picture = cv2.warpAffine(astronaut_rgb, turn, (250, 250))
            picture = cv2.convertScaleAbs(picture, alpha=float(rng.uniform(0.7, 1.2)))
            path = folder / person / f"{person}_{number:04d}.jpg"
            cv2.imwrite(str(path), picture[:, :, ::-1])
    return folder


@pytest.fixture(scope="session")
def prepared_file(tmp_path_factory: pytest.TempPathFactory, photo_folder: Path) -> Path:
    """Crops of the moved astronaut; every fourth person is held out."""
    from trainer.data.prepare import prepare

    out = tmp_path_factory.mktemp("faces") / "faces.npz"
    manifest = photo_folder / "manifest.csv"
    rows = ["path,source,split,identity"]
    for path in sorted(photo_folder.glob("*/*.jpg")):
        split = "val" if path.parent.name == "Dee_Four" else "train"
        rows.append(f"{path.relative_to(photo_folder)},photos,{split},{path.parent.name}")
    manifest.write_text("\n".join(rows) + "\n")
    prepare([photo_folder], out, manifest=manifest, workers=1)
    return out


@pytest.fixture(scope="session")
def wide_file(
    tmp_path_factory: pytest.TempPathFactory, photo_folder: Path, prepared_file: Path
) -> Path:
    """The same photographs prepared with a margin of 48 pixels."""
    from trainer.data.prepare import prepare

    assert prepared_file.is_file()  # its manifest splits these faces alike
    manifest = photo_folder / "wide.csv"
    rows = (photo_folder / "manifest.csv").read_text()
    manifest.write_text(rows.replace(",photos,", ",wide,"))
    out = tmp_path_factory.mktemp("wide") / "faces.npz"
    prepare([photo_folder], out, manifest=manifest, workers=1, margin_px=48)
    return out
