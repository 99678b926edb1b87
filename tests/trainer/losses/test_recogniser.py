"""The face recogniser: its weights, its gradients, its identity embeddings."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from inpaint_model.errors import UserError
from trainer.losses.recogniser import FOLDER_VARIABLE, Recogniser, find_recogniser, load_recogniser

FILES = ("face_recognition_model.bin", "face_recognition_model-weights_manifest.json")
PAIRS = 60


def to_tensor(pictures: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float()


@pytest.fixture(scope="module")
def untrained() -> Recogniser:
    torch.manual_seed(0)
    return Recogniser()


@pytest.fixture(scope="module")
def trained(recogniser_weights: Path) -> Recogniser:
    return load_recogniser(recogniser_weights)


@pytest.fixture
def pair(astronaut_rgb: NDArray[np.uint8]) -> tuple[Tensor, Tensor]:
    """A face, and the same with its lower half blurred; 128x128."""
    real = astronaut_rgb[40:168, 160:288]
    fake = real.copy()
    fake[64:] = cv2.GaussianBlur(real, (0, 0), 5)[64:]
    return to_tensor(fake[None]), to_tensor(real[None])


@pytest.mark.parametrize("present", [(), FILES[:1]])
def test_recogniser_missing_says_where_to_get_it(tmp_path: Path, present: tuple[str, ...]):
    for name in present:
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(UserError, match=r"npm pack @vladmandic/face-api@1\.7\.15"):
        find_recogniser(tmp_path)
    with pytest.raises(UserError, match=r"npm pack @vladmandic/face-api@1\.7\.15"):
        load_recogniser(tmp_path)


def test_load_recogniser_refuses_other_weights(tmp_path: Path):
    for name in FILES:
        (tmp_path / name).write_bytes(b"[]")
    assert find_recogniser(tmp_path) == tmp_path
    with pytest.raises(UserError, match="not the file of version"):
        load_recogniser(tmp_path)


def test_find_recogniser_order_of_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    named, environment = tmp_path / "named", tmp_path / "environment"
    cached = tmp_path / "cache" / "unmask-video" / "recogniser"
    for folder in (named, environment, cached):
        folder.mkdir(parents=True)
        for name in FILES:
            (folder / name).write_bytes(b"")
    monkeypatch.setenv("UNMASK_CACHE_DIR", str(cached.parent))
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    assert find_recogniser() == cached
    monkeypatch.setenv(FOLDER_VARIABLE, str(environment))
    assert find_recogniser() == environment
    assert find_recogniser(named) == named


def test_recogniser_features_have_their_sizes(untrained: Recogniser):
    sizes = [tuple(maps.shape[1:]) for maps in untrained.features(torch.zeros(2, 3, 128, 128))]
    assert sizes == [(32, 61, 61), (32, 30, 30), (32, 30, 30), (64, 15, 15), (128, 7, 7)]
    assert untrained.embedding(torch.zeros(2, 3, 128, 128)).shape == (2, 128)


def test_perceptual_loss_gradient_reaches_fake_alone(
    untrained: Recogniser, pair: tuple[Tensor, Tensor]
):
    fake, real = (picture.requires_grad_() for picture in pair)
    untrained.train()
    untrained.perceptual_loss(fake, real).backward()
    assert fake.grad is not None
    assert fake.grad.isfinite().all()
    assert fake.grad.abs().max() > 0
    assert real.grad is None
    assert all(parameter.grad is None for parameter in untrained.parameters())
    assert not untrained.training


def test_perceptual_loss_of_equal_pictures_is_zero(
    untrained: Recogniser, pair: tuple[Tensor, Tensor]
):
    fake, real = pair
    assert untrained.perceptual_loss(real, real).item() == 0
    assert untrained.perceptual_loss(fake, real).item() > 0


def test_perceptual_loss_in_bf16_is_close(trained: Recogniser, pair: tuple[Tensor, Tensor]):
    exact = trained.perceptual_loss(*pair)
    with torch.autocast("cpu", torch.bfloat16):
        half = trained.perceptual_loss(*pair)
    assert half.dtype == torch.float32
    assert half.item() == pytest.approx(exact.item(), rel=0.01)


def test_perceptual_loss_descent_restores_detail(trained: Recogniser, pair: tuple[Tensor, Tensor]):
    fake, real = pair[0].requires_grad_(), pair[1]
    optimiser = torch.optim.Adam([fake], lr=4)
    before = trained.perceptual_loss(fake, real).item()
    for _ in range(6):
        optimiser.zero_grad()
        trained.perceptual_loss(fake, real).backward()
        optimiser.step()
    assert trained.perceptual_loss(fake, real).item() < 0.9 * before


def test_recogniser_embedding_separates_people(trained: Recogniser, shared_data: Path):
    listing = shared_data / "manifest.csv"
    if not listing.is_file():
        pytest.skip("no list of photographs with the research data")
    people: dict[str, list[str]] = {}
    with listing.open() as rows:
        for row in csv.DictReader(rows):
            if row["source"] == "lfw" and row["split"] in ("train", "val"):
                people.setdefault(row["identity"], []).append(row["path"])
    rng = np.random.default_rng(0)
    several = [paths for _, paths in sorted(people.items()) if len(paths) > 1]
    chosen = [several[i][:2] for i in rng.permutation(len(several))[: PAIRS + 1]]
    pictures = [cv2.imread(str(shared_data / path)) for paths in chosen for path in paths]
    crops = np.stack([p[62:187, 62:187, ::-1] for p in pictures if p is not None])
    with torch.no_grad():
        codes = trained.embedding(to_tensor(crops)).unflatten(0, (-1, 2))
    same = (codes[:-1, 0] - codes[:-1, 1]).norm(dim=1)
    different = (codes[:-1, 0] - codes[1:, 1]).norm(dim=1)
    correct = (same < 0.57).float().mean() + (different >= 0.57).float().mean()
    assert correct / 2 >= 0.9


def test_recogniser_embedding_equals_dlib(trained: Recogniser, astronaut_rgb: NDArray[np.uint8]):
    dlib = pytest.importorskip("dlib", reason="dlib is not installed")
    models = pytest.importorskip("face_recognition_models", reason="dlib's weights are not here")
    chip = np.ascontiguousarray(astronaut_rgb[40:190, 150:300])
    theirs = dlib.face_recognition_model_v1(models.face_recognition_model_location())
    wanted = np.array(theirs.compute_face_descriptor(chip))
    with torch.no_grad():
        code = trained.embedding(to_tensor(chip[None]))[0].numpy()
    assert np.linalg.norm(code - wanted) < 0.08
