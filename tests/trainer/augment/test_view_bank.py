"""The bank of drawn views: each is used as often as asked, and a resumed run draws the same."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from trainer.augment import sample_stream
from trainer.augment.sample_stream import SampleStream
from trainer.augment.view_bank import CHUNK, ViewBank, ViewChunks
from trainer.augment.views import DrawnView, draw_view
from trainer.data import face_set
from trainer.data.face_set import FaceSet

_CPU = torch.device("cpu")


def _tiny_faces(count: int) -> FaceSet:
    crops, names = np.zeros((count, 4, 4, 3), np.uint8), np.zeros(count, np.str_)
    landmarks = np.zeros((count, 478, 2), np.float32)
    return FaceSet(crops, crops[..., 0] > 0, landmarks, names, names, names)


def _noise(faces: FaceSet, index: int, rng: np.random.Generator) -> DrawnView:
    crop = rng.integers(0, 256, (4, 4, 3), np.uint8)
    return DrawnView(crop, faces.valid[index], faces.valid[index], np.eye(2, 3), index % 2 > 0)


@pytest.fixture
def faces() -> FaceSet:
    """Faces without pixels."""
    return _tiny_faces(24)


def _bank(faces: FaceSet, **options: object) -> ViewBank:
    """A bank of views that are small, different, and drawn at once."""
    given = {"capacity": 64, "workers": 0, "draw": _noise} | options
    return ViewBank(faces, _CPU, 5, **given)  # type: ignore[arg-type]


def test_view_bank_resumed_equals_unbroken(faces: FaceSet):
    unbroken = _bank(faces)
    batches = [unbroken.take(24 * step, 24) for step in range(16)]
    for step in (0, 3, 15):
        picked, records = _bank(faces).take(24 * step, 24)
        assert torch.equal(picked, batches[step][0])
        assert np.array_equal(records, batches[step][1])
    again = unbroken.take(24 * 3, 24)  # a step back
    assert torch.equal(again[0], batches[3][0])


@pytest.mark.parametrize("reuse", [1.0, 2.0, 4.0])
def test_view_bank_uses_views_as_often_as_asked(faces: FaceSet, reuse: float):
    bank = _bank(faces, reuse=reuse)
    seen = torch.cat([bank.take(32 * step, 32)[0] for step in range(12)])
    _, uses = torch.unique(seen.flatten(1), dim=0, return_counts=True)
    assert int(uses.max()) <= np.ceil(reuse) + 2
    added = 64 + 12 * 32 / reuse
    assert len(uses) >= min(added, 12 * 32) - 64
    assert bank.reuse == pytest.approx(12 * 32 / added, rel=0.1)


def test_view_bank_renews_oldest_views(faces: FaceSet):
    bank = _bank(faces, reuse=1.0)
    before = bank.take(0, 32)[0]
    for step in range(1, 4):
        bank.take(32 * step, 32)
    after = bank.take(128, 64)[0]
    assert not (before.flatten(1)[:, None] == after.flatten(1)[None]).all(2).any()


def test_view_bank_grows_to_its_capacity(faces: FaceSet):
    few = faces.where(
        np.arange(24) < 3
    )  # three faces open it with twelve views, which make a chunk
    bank = _bank(few, capacity=96)
    seen = [bank.take(32 * step, 32)[0] for step in range(10)]
    distinct = [len(torch.unique(part.flatten(1), dim=0)) for part in seen]
    assert distinct[0] <= 2 * CHUNK
    assert distinct[-1] > 28


def test_view_bank_processes_draw_the_same_views(prepared_file: Path):
    """Without waiting, batches show views that the processes drew, equal to those drawn here."""
    real = face_set.load([prepared_file]).sample(4, 0)
    bank = _bank(real, workers=1, wait=False, reuse=1.0, draw=draw_view)
    shown = torch.cat([bank.take(16 * step, 16)[0] for step in range(3)])
    bank.close()
    source = ViewChunks(real, 5)
    known = torch.cat([source[n][0] for n in range(4)]).flatten(1)
    assert all((known == view).all(1).any() for view in shown.flatten(1))
    assert bank.reuse >= 48 / 64


def test_view_bank_refuses_capacity_of_no_chunks(faces: FaceSet):
    with pytest.raises(ValueError, match="multiple of 16"):
        _bank(faces, capacity=40)


class _Broken:
    """Chunks of numbers, of which one cannot be drawn."""

    chunk_bytes = 8

    def __init__(self) -> None:
        self._table = np.arange(100)

    def __getitem__(self, n: int) -> int:
        return int(10 // (3 - n) + self._table[n])


def test_sample_stream_reports_error_of_a_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The process runs no module of the working directory."""
    (tmp_path / "multiprocessing.py").write_text("raise SystemExit(77)")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)  # it may name the working directory
    stream = SampleStream(_Broken(), 1, 1, pinned=False)
    assert [stream.take(), stream.take()] == [6, 12]
    with pytest.raises(ZeroDivisionError):
        stream.take()
    stream.close()


def test_sample_stream_starts_what_memory_bears(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sample_stream, "_SHARED_MEMORY", Path("/"))
    usage = SimpleNamespace(free=64 * 2**20)
    monkeypatch.setattr(sample_stream.shutil, "disk_usage", lambda _: usage)
    assert sample_stream._affordable(16, 2**20) == (16, 2)
    assert sample_stream._affordable(16, 20 * 2**20) == (2, 1)


def test_sample_stream_needs_shared_memory(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_Broken, "chunk_bytes", 2**50)
    if not sample_stream._SHARED_MEMORY.is_dir():
        pytest.skip("no /dev/shm")
    with pytest.raises(sample_stream.UserError, match="MiB free"):
        SampleStream(_Broken(), 0, 2, pinned=False)
