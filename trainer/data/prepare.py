"""Turns folders of face photographs into one prepared file of canonical crops."""

from __future__ import annotations

import csv
import hashlib
import multiprocessing
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from inpaint_model.errors import UserError
from realtime.align.affine import apply, compose
from realtime.align.canonical_crop import CROP_SIZE
from realtime.align.warp_crop import warp_crop
from realtime.detect.face_detector import FaceDetector
from realtime.detect.face_geometry import scaled_and_shifted
from realtime.frames import Face
from trainer.data.face_set import CodedFace, encode, write_shards

_PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".webp"}
_VAL_SHARE = 0.05  # of the people (or photographs) without a given split
_CELEBA_SPLITS = {"0": "train", "1": "val", "2": "test"}


@dataclass(frozen=True)
class Photo:
    """One photograph to prepare, with its data set, split and person."""

    path: Path
    source: str
    split: str
    identity: str


def find_photos(folder: Path, manifest: Path | None = None) -> list[Photo]:
    """List a folder's photographs.

    Known layouts: LFW (`Name/Name_0001.jpg`: split by person), CelebA (`img_align_celeba/*.jpg` with
    `list_eval_partition.txt` and `identity_CelebA.txt` beside it), and any other folder (split by a
    hash of the file name). A manifest, CSV with `path,source,split,identity`, overrides the layout.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder of faces")
    listed = _read_manifest(manifest) if manifest else {}
    partition = _read_pairs(folder, "list_eval_partition.txt")
    people = _read_pairs(folder, "identity_CelebA.txt")
    photos = []
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in _PICTURES):
        known = listed.get(path.resolve())
        if known:
            photos.append(Photo(path, known["source"], known["split"], known["identity"]))
            continue
        named_folder = path.parent.name if path.stem.startswith(path.parent.name + "_") else ""
        identity = people.get(path.name, named_folder)
        split = _CELEBA_SPLITS.get(partition.get(path.name, ""))
        split = split or _split_by_hash(identity or path.name)
        photos.append(Photo(path, folder.name, split, identity))
    if not photos:
        raise UserError(f"{folder}: holds no picture")
    return photos


def _read_manifest(path: Path) -> dict[Path, dict[str, str]]:
    if not path.is_file():
        raise UserError(f"{path}: no such manifest")
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"path", "source", "split", "identity"} <= rows[0].keys():
        raise UserError(f"{path}: a manifest is CSV with the columns path,source,split,identity")
    return {(path.parent / row["path"]).resolve(): row for row in rows}


def _read_pairs(folder: Path, name: str) -> dict[str, str]:
    """Read one of CelebA's two-column lists, in the folder or its parent."""
    for place in (folder, folder.parent, folder / "Eval", folder.parent / "Eval"):
        if (place / name).is_file():
            lines = (place / name).read_text(encoding="utf-8").split("\n")
            return {parts[0]: parts[1] for line in lines if len(parts := line.split()) == 2}
    return {}


def _split_by_hash(key: str) -> str:
    share = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") / 2**32
    return "val" if share < _VAL_SHARE else "train"


class _Worker:
    """The face detector of one process, created once."""

    detector: FaceDetector | None = None

    @classmethod
    def prepare(cls, min_eye_px: float, margin_px: int, photo: Photo) -> CodedFace | str:
        """Prepare one photograph, or return the reason for dropping it."""
        if cls.detector is None:
            cv2.setNumThreads(1)
            cls.detector = FaceDetector(1, detection_confidence=0.5, presence_confidence=0.5)
        image = cv2.imread(str(photo.path), cv2.IMREAD_COLOR)
        if image is None:
            return "not a picture"
        face, landmarks = _detect(cls.detector, cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
        if face is None or landmarks is None:
            return "no face found"
        eye_px = float(np.hypot(*(landmarks[33] - landmarks[263])))
        if eye_px < min_eye_px:
            return "face too small"
        size = CROP_SIZE + 2 * margin_px
        wider = compose(scaled_and_shifted(1.0, margin_px, margin_px), face.matrix)
        crop, valid = warp_crop(image, wider * (CROP_SIZE / size), size)
        if valid[margin_px:, margin_px:][32:104, 32:96].mean() < 0.9:
            return "face cut off"
        return CodedFace(
            encode(np.ascontiguousarray(crop[:, :, ::-1])),
            valid,
            apply(face.matrix, landmarks).astype(np.float32),
            photo.split,
            photo.source,
            photo.identity,
        )


def _detect(
    detector: FaceDetector, image_rgb: NDArray[np.uint8]
) -> tuple[Face | None, NDArray[np.float64] | None]:
    """Detect the face; if there is none, try again with a border around the photograph."""
    faces = detector(image_rgb)
    if faces and faces[0].landmarks is not None:
        return faces[0], faces[0].landmarks
    border = max(image_rgb.shape[:2]) // 4
    padded = cv2.copyMakeBorder(
        image_rgb, border, border, border, border, cv2.BORDER_CONSTANT, value=(0, 0, 0)
    )
    faces = detector(np.asarray(padded, dtype=np.uint8))
    if not faces or faces[0].landmarks is None:
        return None, None
    face, landmarks = faces[0], faces[0].landmarks - border
    matrix = face.matrix.copy()
    matrix[:, 2] += matrix[:, :2] @ (border, border)
    return Face(face.box, face.keypoints - border, landmarks, matrix), landmarks


def prepare(
    folders: Sequence[Path],
    out: Path,
    *,
    manifest: Path | None = None,
    min_eye_px: float = 24.0,
    margin_px: int = 0,
    shard_mib: float = 0,
    workers: int = 2,
    limit: int = 0,
) -> str:
    """Prepare all photographs of the folders; return a report of the kept and the dropped ones.

    Args:
        folders: folders of photographs (`find_photos` names the known layouts).
        out: the `.npz` to write.
        manifest: CSV with `path,source,split,identity`, paths relative to it.
        min_eye_px: photographs whose outer eye corners are closer are dropped ("face too small").
        margin_px: margin to keep around the canonical crop, a multiple of 4; wider crops and rotated
            heads need one.
        shard_mib: largest size of a file in MiB; 0 writes one file.
        workers: number of processes.
        limit: largest number of photographs of each folder; 0 takes all.
    """
    if out.suffix != ".npz":
        raise UserError(f"{out}: the prepared file's name must end in .npz")
    if not 0 <= margin_px <= 128 or margin_px % 4:
        raise UserError(f"a margin is a multiple of 4 from 0 to 128 px, not {margin_px}")
    out.parent.mkdir(parents=True, exist_ok=True)
    photos: list[Photo] = []
    for folder in folders:
        found = find_photos(folder, manifest)
        photos += found[:limit] if limit else found
    faces: list[CodedFace] = []
    dropped: Counter[tuple[str, str]] = Counter()
    results = track(
        _prepare_all(photos, min_eye_px, margin_px, workers), "prepare", total=len(photos)
    )
    for photo, result in zip(photos, results, strict=True):
        if isinstance(result, CodedFace):
            faces.append(result)
        else:
            dropped[photo.source, result] += 1
    paths = write_shards(out, faces, shard_mib)
    return _report(photos, faces, dropped, paths)


def _prepare_all(
    photos: Sequence[Photo], min_eye_px: float, margin_px: int, workers: int
) -> Iterator[CodedFace | str]:
    work = partial(_Worker.prepare, min_eye_px, margin_px)
    if workers <= 1:
        yield from map(work, photos)
        return
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        yield from pool.imap(work, photos, chunksize=16)


def _report(
    photos: Sequence[Photo],
    faces: Sequence[CodedFace],
    dropped: Counter[tuple[str, str]],
    paths: Sequence[Path],
) -> str:
    """Count the kept faces by data set and split, and the dropped ones by reason."""
    lines = [f"kept {len(faces)} of {len(photos)} photographs"]
    kept = Counter((face.source, face.split) for face in faces)
    lines += [f"  {source} {split}: {count}" for (source, split), count in sorted(kept.items())]
    lines += [
        f"  dropped, {why}: {count} of {source}" for (source, why), count in sorted(dropped.items())
    ]
    sizes = [f"{path} ({path.stat().st_size / 2**20:.1f} MiB)" for path in paths]
    return "\n".join([*lines, "wrote " + ", ".join(sizes)])
