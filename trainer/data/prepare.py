"""Prepares faces: turns photographs into one file of canonical crops, or chooses from such files."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from rich.progress import track

from inpaint_model.errors import UserError
from realtime.align.affine import apply, compose
from realtime.align.canonical_crop import CROP_SIZE
from realtime.align.warp_crop import warp_crop
from realtime.detect.face_finder import FaceFinder
from realtime.detect.face_geometry import scaled_and_shifted
from realtime.runtime.safe_path import safe_path
from trainer.data.coded_face import CodedFace, decode, decode_matte, encode, encode_matte
from trainer.data.face_set import read, write
from trainer.data.pack import pack
from trainer.data.person_matte import SelfieSegmenter, with_matte
from trainer.data.photographs import Photo, find_photos


class _Worker:
    """The face finder of one process, created once."""

    finder: FaceFinder | None = None

    @classmethod
    def prepare(
        cls, min_eye_px: float, margin_px: int, scale: int, photo: Photo
    ) -> CodedFace | str:
        """Prepare one photograph, or return the reason for dropping it."""
        if cls.finder is None:
            cv2.setNumThreads(1)
            cls.finder = FaceFinder()
        image = cv2.imread(str(photo.path), cv2.IMREAD_COLOR)
        if image is None:
            return "not a picture"
        face = cls.finder.portrait(np.asarray(image, dtype=np.uint8))
        if face is None or face.landmarks is None:
            return "no face found"
        landmarks = face.landmarks
        eye_px = float(np.hypot(*(landmarks[33] - landmarks[263])))
        if eye_px < min_eye_px:
            return "face too small"
        size = CROP_SIZE + 2 * margin_px
        wider = compose(scaled_and_shifted(1.0, margin_px, margin_px), face.matrix)
        crop, valid = warp_crop(image, wider * (CROP_SIZE / size), scale * size)
        if valid[::scale, ::scale][margin_px:, margin_px:][32:104, 32:96].mean() < 0.9:
            return "face cut off"
        return CodedFace(
            encode(np.ascontiguousarray(crop[:, :, ::-1]), valid),
            valid,
            apply(face.matrix, landmarks).astype(np.float32),
            photo.split,
            photo.source,
            photo.identity,
            scale=scale,
        )


def prepare(
    folders: Sequence[Path] | None,
    out: Path,
    *,
    data: Sequence[Path] | None = None,
    pack_mib: float | None = None,
    source: Sequence[str] | None = None,
    manifest: Path | None = None,
    min_eye_px: float = 24.0,
    margin_px: int | None = None,
    scale: int = 1,
    workers: int = 2,
    limit: int = 0,
    mattes: Path | None = None,
) -> str:
    """Prepare photographs, or choose from prepared files; return a report of the kept and the dropped.

    Args:
        folders: folders of photographs (`find_photos` names the known layouts).
        out: the `.npz` to write.
        data: prepared files, in place of the folders.
        pack_mib: largest size of `out` in MiB: the best faces, coded to fit (`trainer.data.pack`).
        source: names of the data sets to keep; none: all.
        manifest: CSV with `path,source,split,identity`, paths relative to it.
        min_eye_px: photographs whose outer eye corners are closer are dropped ("face too small").
        margin_px: margin to keep around the canonical crop, a multiple of 4; wider crops and rotated
            heads need one. None: 0, or the margin of `data`.
        scale: pixels for each crop pixel, in each direction; the refiner needs 2, everything else 1.
        workers: number of processes that read photographs.
        limit: largest number of photographs of each folder; 0 takes all.
        mattes: `selfie_segmentation.tflite`, to store the people's mattes (`trainer.data.person_matte`).
    """
    if out.suffix != ".npz":
        raise UserError(f"{out}: the prepared file's name must end in .npz")
    if bool(folders) == bool(data):
        raise UserError("name either folders of photographs (--faces) or prepared files (--data)")
    if margin_px is not None and (not 0 <= margin_px <= 128 or margin_px % 4):
        raise UserError(f"a margin is a multiple of 4 from 0 to 128 px, not {margin_px}")
    if scale not in (1, 2) or (scale == 2 and (data or mattes or pack_mib)):
        raise UserError(
            "a scale is 1 or 2; 2 goes with photographs alone, no --data, --pack or --mattes"
        )
    dropped: Counter[tuple[str, str]] = Counter()
    photos: list[Photo] = []
    for folder in folders or ():
        found = find_photos(folder, manifest)
        photos += found[:limit] if limit else found
    if photos:
        work = partial(_Worker.prepare, min_eye_px, margin_px or 0, scale)
        faces = _read_photographs(photos, work, workers, dropped)
    else:
        faces = _read_prepared(data or (), margin_px)
    total = len(photos) or len(faces)
    if source:
        dropped.update((face.source, "not chosen") for face in faces if face.source not in source)
        faces = [face for face in faces if face.source in source]
    if not faces:
        raise UserError("no usable face: nothing was written")
    if mattes:
        with SelfieSegmenter(mattes) as segmenter:
            faces = [with_matte(face, segmenter) for face in track(faces, "mattes")]
    out.parent.mkdir(parents=True, exist_ok=True)
    kept, quality = faces, None
    if pack_mib is None:
        write(out, faces)
    else:
        kept, quality = pack(faces, out, pack_mib)
    for (name, split), count in (_count(faces) - _count(kept)).items():
        dropped[name, f"{split} left out of the pack"] += count
    return "\n".join(
        [f"kept {len(kept)} of {total} {'photographs' if photos else 'faces'}"]
        + [f"  {name} {split}: {count}" for (name, split), count in sorted(_count(kept).items())]
        + [f"  dropped, {why}: {count} of {name}" for (name, why), count in sorted(dropped.items())]
        + [f"  with a matte: {sum(bool(face.matte) for face in kept)}"] * bool(mattes)
        + [_size_line(out, len(kept), quality)]
    )


def _read_photographs(
    photos: Sequence[Photo],
    work: Callable[[Photo], CodedFace | str],
    workers: int,
    dropped: Counter[tuple[str, str]],
) -> list[CodedFace]:
    """Prepare photographs; count those without a usable face in `dropped`, by data set and reason."""
    faces: list[CodedFace] = []
    results = _prepare_all(photos, work, workers)
    for photo, result in zip(photos, track(results, "prepare", total=len(photos)), strict=True):
        if isinstance(result, CodedFace):
            faces.append(result)
        else:
            dropped[photo.source, result] += 1
    return faces


def _prepare_all(
    photos: Sequence[Photo], work: Callable[[Photo], CodedFace | str], workers: int
) -> Iterator[CodedFace | str]:
    if workers <= 1:
        yield from map(work, photos)
        return
    with safe_path():
        pool = multiprocessing.get_context("spawn").Pool(workers)
    with pool:
        yield from pool.imap(work, photos, chunksize=16)


def _read_prepared(paths: Sequence[Path], margin_px: int | None) -> list[CodedFace]:
    """Read prepared files, and cut the faces to a narrower margin if one is given."""
    faces = [face for path in paths for face in read(path)]
    if any(face.scale != 1 for face in faces):
        raise UserError("choosing from prepared files needs faces of --scale 1")
    margins = {face.margin_px for face in faces}
    if margin_px is None:
        if len(margins) > 1:
            raise UserError("the prepared files have different margins: give --margin")
        return faces
    if margins and min(margins) < margin_px:
        raise UserError(f"a prepared file has a margin of {min(margins)} px, less than {margin_px}")
    with ThreadPoolExecutor() as pool:
        return list(pool.map(partial(_with_margin, margin_px=margin_px), faces))


def _with_margin(face: CodedFace, margin_px: int) -> CodedFace:
    cut = face.margin_px - margin_px
    if not cut:
        return face
    inside = slice(cut, len(face.valid) - cut)
    valid = face.valid[inside, inside]
    picture = encode(decode(face)[inside, inside], valid)
    matte = encode_matte(decode_matte(face)[inside, inside]) if face.matte else b""
    return replace(face, picture=picture, valid=valid, matte=matte)


def _count(faces: Sequence[CodedFace]) -> Counter[tuple[str, str]]:
    """Count faces by data set and split."""
    return Counter((face.source, face.split) for face in faces)


def _size_line(path: Path, faces: int, quality: int | None) -> str:
    size = path.stat().st_size
    code = f", WebP quality {quality}" if quality else ""
    return f"wrote {path} ({size / 2**20:.2f} MiB, {size / faces:.0f} bytes a face{code})"
