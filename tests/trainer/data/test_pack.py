"""Travel packs: under their size, and the best faces of every group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from inpaint_model.errors import UserError
from realtime.align.canonical_head import CANONICAL_HEAD, LANDMARKS
from trainer.data import face_set as faceset
from trainer.data.coded_face import CodedFace, decode, encode
from trainer.data.pack import Traits, order_faces, pack, traits_of

_MIB = 2**20


def turned_landmarks(yaw_deg: float) -> NDArray[np.float32]:
    """Landmarks of the canonical head, turned."""
    yaw = np.radians(yaw_deg)
    right, up, near = CANONICAL_HEAD.points_cm.T
    points = np.full((LANDMARKS, 2), 64, np.float32)
    points[CANONICAL_HEAD.index, 0] = 64 + 6 * (right * np.cos(yaw) + near * np.sin(yaw))
    points[CANONICAL_HEAD.index, 1] = 64 - 6 * up
    return points


def many(faces: Sequence[CodedFace], count: int) -> list[CodedFace]:
    """Copies of the faces of different people: one in ten in val, one in four turned by 40 degrees."""
    frontal, turned = turned_landmarks(3), turned_landmarks(40)
    return [
        replace(
            faces[index % len(faces)],
            landmarks=turned if index % 4 == 1 else frontal,
            split="val" if index % 10 == 0 else "train",
            identity=str(index),
        )
        for index in range(count)
    ]


@pytest.fixture(scope="module")
def packed(
    prepared_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[CodedFace], int | None]:
    """A pack of 0.3 MiB of 320 faces, which need more, and its WebP quality."""
    out = tmp_path_factory.mktemp("pack") / "pack.npz"
    kept, quality = pack(many(faceset.read(prepared_file), 320), out, 0.3)
    return out, kept, quality


def test_pack_file_is_under_the_limit(packed: tuple[Path, list[CodedFace], int | None]):
    out, kept, quality = packed
    assert 0.95 * 0.3 * _MIB < out.stat().st_size <= 0.3 * _MIB
    assert quality == 85
    faces = faceset.load([out])
    assert 40 < len(faces) == len(kept) < 320
    assert faces.identity.tolist() == [face.identity for face in kept]


def test_pack_keeps_poses_and_splits_in_proportion(
    packed: tuple[Path, list[CodedFace], int | None],
):
    faces = faceset.load([packed[0]])
    turned = np.array([traits_of(face).group for face in packed[1]])[:, 1].astype(int) == 2
    assert abs(turned[faces.split == "train"].mean() - 80 / 288) < 0.02
    assert abs((faces.split == "val").mean() - 0.2) < 0.01


def test_pack_that_holds_all_keeps_the_code(prepared_file: Path, tmp_path: Path):
    faces = faceset.read(prepared_file)
    kept, quality = pack(faces, tmp_path / "pack.npz", 1)
    assert quality is None
    written = faceset.read(tmp_path / "pack.npz")
    assert {face.picture for face in written} == {face.picture for face in faces}
    assert len(kept) == len(faces)


def test_pack_too_small_for_a_face_is_refused(prepared_file: Path, tmp_path: Path):
    with pytest.raises(UserError, match=r"not one face fits into 0\.001 MiB"):
        pack(faceset.read(prepared_file), tmp_path / "pack.npz", 0.001)
    assert not list(tmp_path.iterdir())


def test_order_faces_takes_the_sharper_copy(prepared_file: Path):
    sharp = [replace(face, split="train") for face in faceset.read(prepared_file)[:12]]
    soft = []
    for face in sharp:
        crop = decode(face)
        small = cv2.resize(crop, (64, 64), interpolation=cv2.INTER_AREA)
        crop = np.asarray(cv2.resize(small, (128, 128), interpolation=cv2.INTER_CUBIC), np.uint8)
        soft.append(replace(face, picture=encode(crop, face.valid)))
    faces = [face for pair in zip(soft, sharp, strict=True) for face in pair]
    faces = [replace(face, identity=str(at // 2)) for at, face in enumerate(faces)]
    order = order_faces(faces, [traits_of(face) for face in faces])
    first = {faces[at].identity: at for at in reversed(order)}
    assert len(first) == 12
    assert all(at % 2 for at in first.values())


def labelled(split: str, source: str, identity: str) -> CodedFace:
    nothing = np.zeros((0, 0))
    return CodedFace(b"", nothing.astype(bool), nothing.astype(np.float32), split, source, identity)


def test_order_faces_varies_people():
    faces = [labelled("train", "lfw", "often")] * 5
    faces += [labelled("train", "lfw", str(at)) for at in range(5)]
    traits = [Traits(2.0 if at < 5 else 1.0, "frontal") for at in range(10)]
    first = [faces[at].identity for at in order_faces(faces, traits)[:6]]
    assert sorted(first) == ["0", "1", "2", "3", "4", "often"]


@pytest.mark.parametrize(("count", "val"), [(100, 20), (1200, 240), (3000, 300), (8000, 400)])
def test_order_faces_keeps_a_share_of_val(count: int, val: int):
    splits = ["val"] * 500 + ["train"] * 9500 + ["test"] * 100
    faces = [labelled(split, "lfw" if at % 5 else "utk", "") for at, split in enumerate(splits)]
    order = order_faces(faces, [Traits(at % 97, face.source) for at, face in enumerate(faces)])
    assert len(order) == 10000
    taken = Counter((faces[at].split, faces[at].source) for at in order[:count])
    assert abs(taken["val", "lfw"] + taken["val", "utk"] - val) <= 1
    assert taken["test", "lfw"] + taken["test", "utk"] == 0
    assert abs(taken["train", "utk"] - (count - val) / 5) <= 1
    assert abs(taken["val", "utk"] - val / 5) <= 1
