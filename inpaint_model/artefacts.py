"""Finds the files of this project's networks, which ship with this package."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from inpaint_model.errors import UserError
from inpaint_model.model_files import (
    WEIGHTS_DIR,
    Artefact,
    read_model,
    sha256,
    sha256_with_external,
)

SHIPPED_GENERATORS = ("fast", "paper")
_QUANTISED_OPERATOR = b"DequantizeLinear"
# The protobuf bytes of the metadata entry precision = fp16, which `trainer export` writes.
_FP16_METADATA = b"\x0a\x09precision\x12\x04fp16"


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
        return GeneratorArtefact(self.name, path, sha256_with_external(path, content), precision)

    @property
    def sha256(self) -> str:
        """SHA-256 of the file at `path`; `Inpainter.model_sha256` is that of the file that runs."""
        return self.open().sha256


@dataclass(frozen=True)
class ArtefactHashes:
    """Which networks made a result: the SHA-256, in hex, of each one's file.

    Attributes:
        generator: the file that runs (`Inpainter.model_sha256`).
        segmenter: the mask segmenter.
        face_landmarker: MediaPipe's face landmark model.
        face_aligner: the network that says what is a face and which way up it is.
        refiner: the network that gives fills of large faces their fine detail.
    """

    generator: str
    segmenter: str
    face_landmarker: str
    face_aligner: str
    refiner: str

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


def find_refiner(path: Path | None = None) -> Artefact:
    """Find the refiner's `.onnx` file: the one at `path`, by default the shipped one.

    Raises:
        UserError: the file is missing or cannot be read.
    """
    return _shipped(path or WEIGHTS_DIR / "refiner.onnx", "refiner")


def _shipped(path: Path, what: str) -> Artefact:
    if not path.is_file():
        raise UserError(f"{path}: the {what}'s weights are missing; reinstall")
    return Artefact(path.stem, path, sha256(read_model(path)))


def _shipped_generator(name: str, weights_dir: Path) -> Generator:
    path = weights_dir / f"{name}.onnx"
    if not path.is_file():
        there = [other for other in SHIPPED_GENERATORS if (weights_dir / f"{other}.onnx").is_file()]
        mend = f"take {' or '.join(there)}" if there else "give the path of an .onnx file"
        raise UserError(f"the weights of model '{name}' are not in this installation: {mend}")
    int8_path = weights_dir / f"{name}.int8.onnx"
    return Generator(name, path, int8_path if int8_path.is_file() else None)
