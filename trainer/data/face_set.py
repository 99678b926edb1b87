"""The prepared data file: coded canonical crops with validity, landmarks, split, data set and matte."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inpaint_model.errors import UserError
from realtime.align.canonical_crop import CROP_SIZE
from trainer.data.coded_face import CodedFace, decode, decode_matte, margin_of

FORMAT_VERSION = 2
# Components of the landmarks that are kept. On 18,000 faces the rest is 0.04 px (root mean square), as much
# as float16 rounds landmarks; a face takes 160 bytes in place of 1,912.
_LANDMARK_COMPONENTS = 80
_FACES_A_TASK = 64  # faces that a thread decodes at a time


@dataclass(frozen=True)
class FaceSet:
    """Decoded faces in memory.

    Attributes:
        crops: uint8 [N, S, S, 3], RGB, canonical crops with a margin of M px: S = scale (128 + 2M).
        valid: bool [N, S, S].
        landmarks: float32 [N, 478, 2], canonical crop pixels.
        split, source, identity: str [N].
        matte: uint8 [N, S, S], opacity of the person before the background, 255 where it is not known;
            None if no face has one.
        scale: pixels for each crop pixel, in each direction.
    """

    crops: NDArray[np.uint8]
    valid: NDArray[np.bool_]
    landmarks: NDArray[np.float32]
    split: NDArray[np.str_]
    source: NDArray[np.str_]
    identity: NDArray[np.str_]
    matte: NDArray[np.uint8] | None = None
    scale: int = 1

    def __len__(self) -> int:
        return len(self.crops)

    @property
    def margin_px(self) -> int:
        """Margin around the canonical crop in pixels, M."""
        return margin_of(self.crops.shape[1], self.scale)

    def canonical(self) -> FaceSet:
        """Return the faces without their margin; pixels are shared."""
        first = self.margin_px * self.scale
        inside = slice(first, first + CROP_SIZE * self.scale)
        crops, valid = self.crops[:, inside, inside], self.valid[:, inside, inside]
        matte = None if self.matte is None else self.matte[:, inside, inside]
        return replace(self, crops=crops, valid=valid, matte=matte)

    def where(self, keep: NDArray[np.bool_]) -> FaceSet:
        """Return the faces for which `keep`, bool [N], is true."""
        columns = {k: v[keep] for k, v in vars(self).items() if isinstance(v, np.ndarray)}
        return replace(self, **columns)

    def sample(self, count: int, seed: int | Sequence[int]) -> FaceSet:
        """Return at most `count` faces, drawn at random, in their order."""
        chosen = np.random.default_rng(seed).permutation(len(self))[:count]
        return self.where(np.isin(np.arange(len(self)), chosen))

    def select(self, split: str, sources: Sequence[str] = ()) -> FaceSet:
        """Return the faces of a split, and of the named data sets if any is named."""
        keep = self.split == split
        if sources:
            keep &= np.isin(self.source, list(sources))
        return self.where(keep)


def write(path: Path, faces: Sequence[CodedFace], limit_bytes: float = math.inf) -> int:
    """Write one file; it appears under its name when complete.

    Returns:
        The size in bytes; if it is larger than `limit_bytes`, nothing was written.
    """
    points = np.stack([face.landmarks for face in faces]).reshape(len(faces), -1)
    mean, basis, weights = _principal_components(points)
    arrays = {
        "version": np.array(FORMAT_VERSION),
        "pictures": np.frombuffer(b"".join(face.picture for face in faces), np.uint8),
        "offsets": np.cumsum([0, *(len(face.picture) for face in faces)], dtype=np.int64),
        "valid": np.packbits(np.stack([face.valid for face in faces]), axis=-1),
        "landmark_mean": mean,
        "landmark_basis": basis,
        "landmark_weights": weights,
        "split": np.array([face.split for face in faces]),
        "source": np.array([face.source for face in faces]),
        "identity": np.array([face.identity for face in faces]),
        "scale": np.array(faces[0].scale),
    }
    if any(face.matte for face in faces):
        mattes = [face.matte for face in faces]
        arrays["mattes"] = np.frombuffer(b"".join(mattes), np.uint8)
        arrays["matte_offsets"] = np.cumsum([0, *map(len, mattes)], dtype=np.int64)
    part = path.with_name(path.name + ".part")
    try:
        with zipfile.ZipFile(part, "w") as archive:
            for name, values in arrays.items():
                content = io.BytesIO()
                np.lib.format.write_array(content, values, allow_pickle=False)
                # Pictures are compressed already.
                is_coded = name in ("pictures", "mattes")
                how = zipfile.ZIP_STORED if is_coded else zipfile.ZIP_DEFLATED
                archive.writestr(zipfile.ZipInfo(name + ".npy"), content.getvalue(), how)
        size = part.stat().st_size
        if size <= limit_bytes:
            part.replace(path)
        return size
    finally:
        part.unlink(missing_ok=True)


def _principal_components(
    points: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float16], NDArray[np.float16]]:
    """Principal components of points [N, P]: mean [P], basis [K, P] and weights [N, K]."""
    mean = points.mean(0)
    centred = (points - mean).astype(np.float64)
    kept = min(_LANDMARK_COMPONENTS, len(points))
    _, vectors = np.linalg.eigh(centred.T @ centred)  # in ascending order of the eigenvalues
    basis = vectors[:, ::-1][:, :kept].T
    return mean, basis.astype(np.float16), (centred @ basis.T).astype(np.float16)


def read(path: Path) -> list[CodedFace]:
    """Read a prepared file without decoding its pictures.

    Raises:
        UserError: the file is missing, or was not written by `prepare`.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such prepared file")
    try:
        with np.load(path, allow_pickle=False) as data:
            version = int(data["version"])
            if version not in (1, FORMAT_VERSION):
                raise UserError(f"{path}: format {version}, expected {FORMAT_VERSION}")
            if version == 1:
                pictures, landmarks = data["jpeg"], data["landmarks"].astype(np.float32)
            else:
                pictures, basis = data["pictures"], data["landmark_basis"].astype(np.float32)
                landmarks = data["landmark_weights"].astype(np.float32) @ basis
                landmarks = (landmarks + data["landmark_mean"]).reshape(len(landmarks), -1, 2)
            coded = _parts(pictures, data["offsets"])
            mattes = [b""] * len(coded)
            if "mattes" in data:
                mattes = _parts(data["mattes"], data["matte_offsets"])
            valid = np.unpackbits(data["valid"], axis=-1).view(bool)
            scale = int(data["scale"]) if "scale" in data else 1
            labels = [data[name].tolist() for name in ("split", "source", "identity")]
        columns = zip(coded, valid, landmarks, *labels, mattes, strict=True)
        return [replace(CodedFace(*values), scale=scale) for values in columns]
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{path}: not a file written by `prepare` ({error})") from None


def _parts(content: NDArray[np.uint8], offsets: NDArray[np.int64]) -> list[bytes]:
    return [content[a:b].tobytes() for a, b in pairwise(offsets)]


def load(paths: Iterable[Path], scale: int = 1) -> FaceSet:
    """Load and decode prepared files.

    Args:
        paths: the files.
        scale: pixels for each crop pixel, in each direction, that the files must have.

    Raises:
        UserError: a file is missing, was not written by `prepare`, or has another scale; or the files have
            different margins.
    """
    faces, names = [], []
    for path in paths:
        part = read(Path(path))
        faces += part
        names += [f"{path}: face {index}" for index in range(len(part))]
    if not faces:
        raise UserError("no prepared file given: make one with `python -m trainer prepare`")
    if {face.scale for face in faces} != {scale}:
        raise UserError(f"this needs faces that were prepared with --scale {scale}")
    if len({face.margin_px for face in faces}) > 1:
        raise UserError("the prepared files have different margins: prepare them alike")
    crops = np.empty((len(faces), *faces[0].valid.shape, 3), np.uint8)
    matte = np.empty(crops.shape[:3], np.uint8) if any(face.matte for face in faces) else None

    def decode_some(first: int) -> None:
        for index in range(first, min(first + _FACES_A_TASK, len(faces))):
            try:
                crops[index] = decode(faces[index])
                if matte is not None:
                    matte[index] = decode_matte(faces[index])
            except ValueError:
                raise UserError(f"{names[index]} is damaged") from None

    with ThreadPoolExecutor() as pool:  # OpenCV decodes without holding Python's lock
        list(pool.map(decode_some, range(0, len(faces), _FACES_A_TASK)))
    return FaceSet(
        crops,
        np.stack([face.valid for face in faces]),
        np.stack([face.landmarks for face in faces]),
        np.array([face.split for face in faces]),
        np.array([face.source for face in faces]),
        np.array([face.identity for face in faces]),
        matte,
        scale,
    )
