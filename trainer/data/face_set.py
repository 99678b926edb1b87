"""The prepared data file: JPEG canonical crops with validity, landmarks, split and data set."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inpaint_model.errors import UserError
from realtime.align.canonical_crop import CROP_SIZE

FORMAT_VERSION = 1
_JPEG = [cv2.IMWRITE_JPEG_QUALITY, 96, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x111111]


@dataclass(frozen=True)
class CodedFace:
    """One face as the file stores it.

    Attributes:
        jpeg: the canonical crop with a margin of M px, as JPEG (4:4:4).
        valid: bool [128 + 2M, 128 + 2M], False outside the source photograph.
        landmarks: float32 [478, 2], canonical crop pixels.
        split: train, val or test.
        source: the data set's name.
        identity: the person's name, or empty.
    """

    jpeg: bytes
    valid: NDArray[np.bool_]
    landmarks: NDArray[np.float32]
    split: str
    source: str
    identity: str


@dataclass(frozen=True)
class FaceSet:
    """Decoded faces in memory.

    Attributes:
        crops: uint8 [N, 128 + 2M, 128 + 2M, 3], RGB, canonical crops with a margin of M px.
        valid: bool [N, 128 + 2M, 128 + 2M].
        landmarks: float32 [N, 478, 2], canonical crop pixels.
        split, source, identity: str [N].
    """

    crops: NDArray[np.uint8]
    valid: NDArray[np.bool_]
    landmarks: NDArray[np.float32]
    split: NDArray[np.str_]
    source: NDArray[np.str_]
    identity: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.crops)

    @property
    def margin_px(self) -> int:
        """Margin around the canonical crop in pixels, M."""
        return margin_of(self.crops.shape[1])

    def canonical(self) -> FaceSet:
        """Return the faces without their margin; pixels are shared."""
        inside = slice(self.margin_px, self.margin_px + CROP_SIZE)
        crops, valid = self.crops[:, inside, inside], self.valid[:, inside, inside]
        return replace(self, crops=crops, valid=valid)

    def where(self, keep: NDArray[np.bool_]) -> FaceSet:
        """Return the faces for which `keep`, bool [N], is true."""
        return FaceSet(*(values[keep] for values in vars(self).values()))

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


def margin_of(side_px: int) -> int:
    """Return the margin around the canonical crop in a square crop, in pixels."""
    return (side_px - CROP_SIZE) // 2


def encode(crop_rgb: NDArray[np.uint8]) -> bytes:
    """Encode one crop, uint8 [H, W, 3] RGB, as JPEG."""
    ok, data = cv2.imencode(".jpg", crop_rgb[:, :, ::-1], _JPEG)
    if not ok:
        raise RuntimeError("OpenCV could not encode a crop as JPEG")
    return data.tobytes()


def write(path: Path, faces: Sequence[CodedFace]) -> None:
    """Write one file; it appears under its name when complete."""
    sizes = np.array([len(face.jpeg) for face in faces], dtype=np.int64)
    arrays: dict[str, Any] = {
        "version": np.array(FORMAT_VERSION),
        "jpeg": np.frombuffer(b"".join(face.jpeg for face in faces), dtype=np.uint8),
        "offsets": np.concatenate([[0], np.cumsum(sizes)]),
        "valid": np.packbits(np.stack([face.valid for face in faces]), axis=-1),
        "landmarks": np.stack([face.landmarks for face in faces]).astype(np.float16),
        "split": np.array([face.split for face in faces]),
        "source": np.array([face.source for face in faces]),
        "identity": np.array([face.identity for face in faces]),
    }
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            np.savez_compressed(file, **arrays)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_shards(path: Path, faces: Sequence[CodedFace], shard_mib: float = 0) -> list[Path]:
    """Write one file, or numbered files of at most `shard_mib` MiB.

    Returns:
        The paths written: `path` itself, or `NAME-000.npz`, `NAME-001.npz`, ...
    """
    if not faces:
        raise UserError("no usable face: nothing was written")
    if not shard_mib:
        write(path, faces)
        return [path]
    budget = shard_mib * 2**20 - 2**16  # bytes, less the headers of the file
    groups: list[list[CodedFace]] = [[]]
    used = 0.0
    for face in faces:
        size = len(face.jpeg) + face.landmarks.size * 2 + face.valid.size / 8 + 256
        if used + size > budget and groups[-1]:
            groups.append([])
            used = 0.0
        groups[-1].append(face)
        used += size
    paths = [path.with_name(f"{path.stem}-{index:03d}.npz") for index in range(len(groups))]
    for shard, group in zip(paths, groups, strict=True):
        write(shard, group)
    return paths


def load(paths: Iterable[Path]) -> FaceSet:
    """Load and decode prepared files.

    Raises:
        UserError: a file is missing, was not written by `prepare`, or has another margin than the others.
    """
    parts = [_load_one(Path(path)) for path in paths]
    if not parts:
        raise UserError("no prepared file given: make one with `python -m trainer prepare`")
    if len({part.margin_px for part in parts}) > 1:
        raise UserError("the prepared files have different margins: prepare them alike")
    names = FaceSet.__dataclass_fields__
    return FaceSet(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _load_one(path: Path) -> FaceSet:
    if not path.is_file():
        raise UserError(f"{path}: no such prepared file")
    try:
        with np.load(path, allow_pickle=False) as data:
            if int(data["version"]) != FORMAT_VERSION:
                raise UserError(f"{path}: format {int(data['version'])}, expected {FORMAT_VERSION}")
            jpeg, offsets = data["jpeg"], data["offsets"]
            valid = np.unpackbits(data["valid"], axis=-1).astype(bool)
            landmarks = data["landmarks"].astype(np.float32)
            labels = [data[name] for name in ("split", "source", "identity")]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{path}: not a file written by `prepare` ({error})") from None
    crops = np.empty((*valid.shape, 3), dtype=np.uint8)
    for index in range(len(crops)):
        coded = jpeg[offsets[index] : offsets[index + 1]]
        crop = cv2.imdecode(coded, cv2.IMREAD_COLOR) if len(coded) else None
        if crop is None or crop.shape != crops[index].shape:
            raise UserError(f"{path}: face {index} is damaged")
        crops[index] = cv2.cvtColor(crop, cv2.COLOR_BGR2RGB)
    return FaceSet(crops, valid, landmarks, *labels)
