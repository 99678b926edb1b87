"""Preparing photographs: kept and dropped faces, splits, the file's content."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from inpaint_model.errors import UserError
from trainer.data import face_set as faceset
from trainer.data.photographs import find_photos
from trainer.data.prepare import prepare


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, photo_folder: Path):
    out = tmp_path_factory.mktemp("prepared") / "faces.npz"
    junk = photo_folder / "notes.jpg"
    junk.write_text("not a picture")
    cv2.imwrite(str(photo_folder / "empty.png"), np.full((200, 200, 3), 90, np.uint8))
    try:
        report = prepare([photo_folder], out, workers=1)
    finally:
        junk.unlink()
        (photo_folder / "empty.png").unlink()
    return out, report


def test_prepare_reports_kept_and_dropped(prepared):
    out, report = prepared
    faces = faceset.load([out])
    assert len(faces) == 24
    assert "kept 24 of 26" in report
    assert "not a picture: 1" in report
    assert "no face found: 1" in report


def test_prepare_aligns_crops(prepared):
    faces = faceset.load([prepared[0]])
    assert faces.crops.shape == (24, 128, 128, 3)
    eyes = faces.landmarks[:, [33, 263]]
    assert np.abs(eyes[:, :, 1].mean(1) - 46).max() < 0.1
    assert faces.valid[:, 40:80, 40:80].all()


def test_prepare_keeps_a_person_in_one_split(prepared):
    faces = faceset.load([prepared[0]])
    for person in set(faces.identity.tolist()):
        assert len(set(faces.split[faces.identity == person].tolist())) == 1


def test_find_photos_celeba_uses_its_split(tmp_path: Path):
    pictures = tmp_path / "img_align_celeba"
    pictures.mkdir()
    for name in ("000001.jpg", "000002.jpg", "000003.jpg"):
        cv2.imwrite(str(pictures / name), np.zeros((8, 8, 3), np.uint8))
    (tmp_path / "list_eval_partition.txt").write_text("000001.jpg 0\n000002.jpg 1\n000003.jpg 2\n")
    (tmp_path / "identity_CelebA.txt").write_text("000001.jpg 7\n000002.jpg 8\n000003.jpg 9\n")
    photos = find_photos(pictures)
    assert [photo.split for photo in photos] == ["train", "val", "test"]
    assert [photo.identity for photo in photos] == ["7", "8", "9"]


def test_prepare_of_scale_2_keeps_finer_pixels(tmp_path: Path, prepared, photo_folder: Path):
    out = tmp_path / "fine.npz"
    prepare([photo_folder], out, workers=1, margin_px=4, scale=2)
    fine, plain = faceset.load([out], 2), faceset.load([prepared[0]])
    assert fine.crops.shape == (24, 272, 272, 3)
    assert (fine.margin_px, fine.scale) == (4, 2)
    assert np.array_equal(fine.landmarks, plain.landmarks)
    inside = fine.where(fine.split == "train").canonical()
    assert inside.crops.shape[1:] == (256, 256, 3) and inside.margin_px == 0
    halved = inside.crops[:, ::2, ::2].astype(int)
    assert np.abs(halved - plain.crops[plain.split == "train"]).mean() < 3
    with pytest.raises(UserError, match="prepared with --scale 1"):
        faceset.load([out])
    with pytest.raises(UserError, match="prepared with --scale 2"):
        faceset.load([prepared[0]], 2)
    with pytest.raises(UserError, match="faces of --scale 1"):
        prepare(None, tmp_path / "again.npz", data=[out])
    with pytest.raises(UserError, match="a scale is 1 or 2"):
        prepare([photo_folder], out, scale=3)
    with pytest.raises(UserError, match="photographs alone"):
        prepare([photo_folder], out, scale=2, pack_mib=1)


def test_prepare_with_margin_keeps_more_photograph(tmp_path: Path, prepared, photo_folder: Path):
    out = tmp_path / "wide.npz"
    prepare([photo_folder], out, workers=1, margin_px=32)
    wide, plain = faceset.load([out]), faceset.load([prepared[0]])
    assert wide.margin_px == 32
    assert wide.crops.shape == (24, 192, 192, 3)
    assert np.array_equal(wide.landmarks, plain.landmarks)
    inside = wide.canonical()
    assert inside.margin_px == 0
    assert np.abs(inside.crops.astype(int) - plain.crops).mean() < 3  # both are JPEG
    assert wide.valid.mean() > 0.6
    assert wide.crops[:, :, :16].std() > 20  # more of the photograph, not an edge repeated
    with pytest.raises(UserError, match="different margins"):
        faceset.load([out, prepared[0]])
    with pytest.raises(UserError, match="multiple of 4"):
        prepare([photo_folder], out, margin_px=3)


# A module that says that it was run, and then lets the library's own one take its place.
_TRAP = """
import os, sys
open("TRAPPED", "w")
sys.path[:] = [path for path in sys.path if os.path.abspath(path) != os.getcwd()]
del sys.modules["multiprocessing"]
import multiprocessing
"""


def test_prepare_with_processes_runs_no_module_of_the_folder(
    tmp_path: Path, photo_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "multiprocessing.py").write_text(_TRAP)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)  # it may name the working directory
    assert "kept 2 of 2" in prepare([photo_folder], tmp_path / "faces.npz", workers=2, limit=2)
    assert not (tmp_path / "TRAPPED").exists()


def test_prepare_bad_input_is_refused(tmp_path: Path):
    with pytest.raises(UserError, match="no such folder"):
        prepare([tmp_path / "nowhere"], tmp_path / "x.npz")
    with pytest.raises(UserError, match="holds no picture"):
        prepare([tmp_path], tmp_path / "x.npz")
    other = tmp_path / "other.npz"
    np.savez(other, a=np.zeros(3))
    with pytest.raises(UserError, match="not a file written by"):
        faceset.load([other])


def test_prepare_packs_prepared_files(tmp_path: Path, prepared, wide_file: Path):
    out = tmp_path / "pack.npz"
    report = prepare(None, out, data=[wide_file], margin_px=0, pack_mib=0.06)
    assert out.stat().st_size <= 0.06 * 2**20
    packed, plain = faceset.load([out]), faceset.load([prepared[0]])
    assert 0 < len(packed) < 24
    assert f"kept {len(packed)} of 24 faces" in report
    assert "left out of the pack" in report
    assert "bytes a face" in report
    assert packed.margin_px == 0
    same = [np.abs(plain.landmarks - points).max((1, 2)).argmin() for points in packed.landmarks]
    error = (packed.crops.astype(float) - plain.crops[same])[packed.valid]
    assert 10 * np.log10(255**2 / np.mean(error**2)) > 30


def test_prepare_keeps_the_sources_named(tmp_path: Path, wide_file: Path, prepared_file: Path):
    out = tmp_path / "some.npz"
    report = prepare(None, out, data=[wide_file, prepared_file], margin_px=0, source=["photos"])
    assert set(faceset.load([out]).source.tolist()) == {"photos"}
    assert "dropped, not chosen: 24 of" in report
    with pytest.raises(UserError, match="different margins"):
        prepare(None, out, data=[wide_file, prepared_file])
    with pytest.raises(UserError, match="margin of 0 px, less than 16"):
        prepare(None, out, data=[prepared_file], margin_px=16)
    with pytest.raises(UserError, match="no usable face"):
        prepare(None, out, data=[prepared_file], source=["nobody"])
    with pytest.raises(UserError, match=r"either folders .* or prepared files"):
        prepare(None, out)
