"""Checkpoints: pieces of limited size, averages read alone, and pieces that are missing or damaged."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from inpaint_model.errors import UserError
from trainer.runs import RunFolder

PIECE_BYTES = 4096


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A run with two checkpoints written one after the other."""
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    for step in (5, 12):
        torch.manual_seed(step)
        average, net = {"a": torch.randn(2000)}, {"b": torch.randn(3000), "groups": [1, (2.5, "x")]}
        folder.save({"step": step, "average": average, "net": net}, PIECE_BYTES)
    return folder


def test_checkpoint_comes_back_from_its_pieces(run: RunFolder):
    torch.manual_seed(12)
    state = run.load()
    assert state["step"] == 12
    assert torch.equal(state["average"]["a"], torch.randn(2000))
    assert torch.equal(state["net"]["b"], torch.randn(3000))
    assert state["net"]["groups"] == [1, (2.5, "x")]


def test_checkpoint_pieces_stay_below_the_limit(run: RunFolder):
    (folder,) = run.path.iterdir()
    sizes = [file.stat().st_size for file in sorted(folder.glob("average-*"))]
    assert folder.name == "checkpoint-000012"
    assert len(sizes) == 3 and sizes[:2] == [PIECE_BYTES] * 2 and sizes[2] < PIECE_BYTES
    assert all(file.stat().st_size <= PIECE_BYTES for file in folder.iterdir())


def test_checkpoint_average_is_read_alone(run: RunFolder):
    for piece in run.path.glob("checkpoint-*/state-*"):
        piece.unlink()
    assert run.load_average()["step"] == 12
    with pytest.raises(UserError, match=r"state-00\.bin: this piece is missing"):
        run.load()
    for piece in run.path.glob("checkpoint-*/*"):
        piece.rename(run.path / piece.name)
    (run.path / "checkpoint-000012").rmdir()
    assert run.load_average()["step"] == 12


def test_checkpoint_half_written_is_not_read(run: RunFolder):
    half = run.path / "checkpoint-000020.part"
    shutil.copytree(run.path / "checkpoint-000012", half)
    (half / "average-01.bin").unlink()
    assert run.load_average()["step"] == 12
    run.save({"step": 20, "average": {}})
    assert [path.name for path in run.path.iterdir()] == ["checkpoint-000020"]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda piece: piece.unlink(), r"average-01\.bin: this piece is missing"),
        (lambda piece: piece.write_bytes(piece.read_bytes()[:-1]), "damaged"),
        (lambda piece: piece.write_bytes(piece.read_bytes()[:-9] + b"x" * 9), "damaged"),
        (lambda piece: piece.write_bytes(b""), "damaged"),
    ],
)
def test_checkpoint_damaged_piece_is_named(run: RunFolder, damage, said: str):
    damage(run.path / "checkpoint-000012" / "average-01.bin")
    with pytest.raises(UserError, match=said) as error:
        run.load_average()
    assert "\n" not in str(error.value)


def test_checkpoint_mixed_pieces_are_refused(run: RunFolder, tmp_path: Path):
    other = RunFolder(tmp_path / "other")
    other.path.mkdir()
    other.save({"step": 12, "average": {"a": torch.zeros(2000)}}, PIECE_BYTES)
    name = "checkpoint-000012/average-02.bin"
    shutil.copy(other.path / name, run.path / name)
    with pytest.raises(UserError, match="damaged"):
        run.load_average()


def test_checkpoint_of_no_run_is_refused(tmp_path: Path):
    with pytest.raises(UserError, match="no checkpoint yet"):
        RunFolder(tmp_path).load()
