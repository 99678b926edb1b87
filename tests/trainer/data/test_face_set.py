"""Prepared files: what is written is read, and damaged ones are refused in one line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inpaint_model.errors import UserError
from trainer.data import face_set as faceset
from trainer.data.coded_face import decode, encode, encode_matte


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9])
def test_load_truncated_file_is_refused(prepared_file: Path, tmp_path: Path, share: float) -> None:
    whole = prepared_file.read_bytes()
    cut = tmp_path / "cut.npz"
    cut.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(UserError, match=r"cut\.npz: not a file written by"):
        faceset.load([cut])


def test_load_damaged_crops_are_refused(prepared_file: Path, tmp_path: Path) -> None:
    with np.load(prepared_file) as data:
        parts = dict(data)
    parts["pictures"][: len(parts["pictures"]) // 2] = 0
    damaged = tmp_path / "damaged.npz"
    np.savez(damaged, **parts)
    with pytest.raises(UserError, match="face 0 is damaged"):
        faceset.load([damaged])


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        *[("split", lambda values: values[:-1]), ("valid", lambda values: values[1:])],
        *[("landmark_weights", lambda values: values[:1]), ("offsets", lambda values: values[:-1])],
        *[("offsets", lambda values: values / 2), ("offsets", lambda values: values[0])],
    ],
)
def test_load_columns_that_do_not_fit_are_refused(
    prepared_file: Path, tmp_path: Path, name: str, damage: Callable
) -> None:
    with np.load(prepared_file) as data:
        parts = dict(data)
    parts[name] = damage(parts[name])
    np.savez(tmp_path / "damaged.npz", **parts)
    with pytest.raises(UserError, match=r"damaged\.npz: not a file written by"):
        faceset.load([tmp_path / "damaged.npz"])


@pytest.mark.parametrize(("quality", "least_db"), [(None, 44), (95, 38), (85, 34)])
def test_decode_returns_what_was_encoded(
    wide_file: Path, quality: int | None, least_db: float
) -> None:
    for face in faceset.read(wide_file)[:6]:
        crop, valid = decode(face), face.valid.copy()
        valid[:20] = valid[:, 200:] = False
        again = decode(replace(face, picture=encode(crop, valid, quality), valid=valid))
        error = (again.astype(float) - crop)[valid]
        assert 10 * np.log10(255**2 / np.mean(error**2)) > least_db
        assert (again[:20] == again[20]).all()
        assert (again[:, 200:] == again[:, 199:200]).all()


def test_read_landmarks_are_exact(prepared_file: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    face = faceset.read(prepared_file)[0]
    shapes = face.landmarks + np.einsum("nk,kpc->npc", rng.normal(0, 4, (200, 60)), _modes(rng))
    faces = [replace(face, landmarks=points.astype(np.float32)) for points in shapes]
    faceset.write(tmp_path / "many.npz", faces)
    read = np.stack([face.landmarks for face in faceset.read(tmp_path / "many.npz")])
    assert np.abs(read - shapes).max() < 0.1


def test_load_returns_the_mattes_that_were_written(wide_file: Path, tmp_path: Path) -> None:
    some = faceset.read(wide_file)[:3]
    matte = np.zeros(some[0].valid.shape, np.uint8)
    matte[:, 100:] = 255
    some[1] = replace(some[1], matte=encode_matte(matte))
    faceset.write(tmp_path / "mattes.npz", some)
    faces = faceset.load([tmp_path / "mattes.npz"])
    assert faces.matte is not None
    assert (faces.matte[[0, 2]] == 255).all()  # not known
    assert np.abs(faces.matte[1].astype(int) - matte)[:, np.r_[:98, 102:224]].max() < 10
    inside = faces.canonical().where(np.array([False, True, True]))
    assert inside.matte is not None
    assert np.array_equal(inside.matte, faces.matte[1:, 48:176, 48:176])
    some[1] = replace(some[1], matte=encode_matte(matte[:100]))
    faceset.write(tmp_path / "mattes.npz", some)
    with pytest.raises(UserError, match="face 1 is damaged"):
        faceset.load([tmp_path / "mattes.npz"])


def _modes(rng: np.random.Generator) -> np.ndarray:
    return rng.normal(0, 1, (60, 478, 2))


def test_load_first_format_is_read(faces: faceset.FaceSet, tmp_path: Path) -> None:
    crops = [encode(crop) for crop in faces.crops]
    np.savez(
        tmp_path / "first.npz",
        version=1,
        jpeg=np.frombuffer(b"".join(crops), np.uint8),
        offsets=np.cumsum([0, *map(len, crops)]),
        valid=np.packbits(faces.valid, axis=-1),
        landmarks=faces.landmarks.astype(np.float16),
        split=faces.split,
        source=faces.source,
        identity=faces.identity,
    )
    again = faceset.load([tmp_path / "first.npz"])
    assert np.abs(again.landmarks - faces.landmarks).max() < 0.1
    assert np.abs(again.crops.astype(int) - faces.crops).mean() < 1
    assert (again.identity == faces.identity).all()
