"""Finds the ONNX files of a model, shipped or given by path, and says exactly which bytes they are."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from inpaint_model.errors import UserError

SHIPPED_MODELS = ("fast", "paper")
WEIGHTS_DIR = Path(__file__).parent / "weights"
_QUANTISED_MARK = b"DequantizeLinear"
# What `trainer export` writes into the file's metadata: the entry precision = fp16.
_HALF_MARK = b"\x0a\x09precision\x12\x04fp16"


@dataclass(frozen=True)
class ModelFile:
    """One ONNX generator.

    Attributes:
        path: the file.
        sha256: of its bytes, in hex.
        precision: of its convolutions: "int8" (QDQ form), "fp16" or "fp32".
    """

    path: Path
    sha256: str
    precision: str

    @property
    def quantised(self) -> bool:
        """Whether it holds int8 weights."""
        return self.precision == "int8"


@dataclass(frozen=True)
class Artefact:
    """A model and the files that hold it.

    Attributes:
        name: "fast", "paper", or the stem of a given file.
        path: the full-precision ONNX file, or the given one.
        int8_path: the quantised version of the same network, where one ships.
    """

    name: str
    path: Path
    int8_path: Path | None = None

    def file(self, *, int8: bool) -> ModelFile:
        """Read and identify the quantised version where `int8` and there is one, else the other."""
        path = self.int8_path if int8 and self.int8_path else self.path
        try:
            content = path.read_bytes()
        except OSError as error:
            raise UserError(f"{path}: cannot be read ({error.strerror})") from error
        precision = "fp16" if _HALF_MARK in content else "fp32"
        if _QUANTISED_MARK in content:
            precision = "int8"
        return ModelFile(path, hashlib.sha256(content).hexdigest(), precision)


def find_artefact(model: str | Path, weights_dir: Path = WEIGHTS_DIR) -> Artefact:
    """Find a model's files.

    Args:
        model: "fast", "paper" or the path of an `.onnx` file.
        weights_dir: the folder of the shipped files.

    Raises:
        UserError: there is no such model or file.
    """
    if str(model) in SHIPPED_MODELS:
        return _shipped(str(model), weights_dir)
    path = Path(model)
    if path.suffix.lower() != ".onnx":
        names = ", ".join(SHIPPED_MODELS)
        raise UserError(f"unknown model '{model}': take {names} or the path of an .onnx file")
    if not path.is_file():
        raise UserError(f"{path}: no such model file")
    return Artefact(path.stem, path)


def _shipped(name: str, weights_dir: Path) -> Artefact:
    path = weights_dir / f"{name}.onnx"
    if not path.is_file():
        there = [other for other in SHIPPED_MODELS if (weights_dir / f"{other}.onnx").is_file()]
        mend = f"take {' or '.join(there)}" if there else "give the path of an .onnx file"
        raise UserError(f"the weights of model '{name}' are not in this installation: {mend}")
    int8_path = weights_dir / f"{name}.int8.onnx"
    return Artefact(name, path, int8_path if int8_path.is_file() else None)
