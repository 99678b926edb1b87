"""Any ArcFace-style ONNX file gives embeddings of length 1; other files are refused in one line."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from inpaint_model.errors import ClosedError, UserError
from realtime.feed.embedder import PERIOCULAR_ROWS, Embedder, periocular
from tests.realtime.making_recognisers import PATCH_PX, write_recogniser

SIZE = 3 * (112 // PATCH_PX) ** 2


@pytest.fixture
def crops() -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(0, 256, (3, 112, 112, 3), np.uint8)


def patch_means(levels: NDArray[np.floating]) -> NDArray[np.floating]:
    """What the made network computes of levels [N, 112, 112, 3], each row of length 1."""
    side = 112 // PATCH_PX
    means = levels.reshape(-1, side, PATCH_PX, side, PATCH_PX, 3).mean((2, 4))
    rows = means.transpose(0, 3, 1, 2).reshape(-1, SIZE)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize("shape", [("N", 3, 112, 112), (1, 3, 112, 112), ("N", 3, "H", "W")])
def test_embedder_normalises_as_insightface(tmp_path: Path, crops: NDArray[np.uint8], shape):
    embedder = Embedder(write_recogniser(tmp_path / "r.onnx", shape=shape), threads=1)
    assert embedder.size == SIZE
    embeddings = embedder(crops)
    assert embeddings.dtype == np.float32
    np.testing.assert_allclose(embeddings, patch_means((crops - 127.5) / 127.5), atol=1e-5)


def test_embedder_leaves_levels_to_a_network_that_centres(tmp_path: Path, crops: NDArray[np.uint8]):
    embedder = Embedder(write_recogniser(tmp_path / "r.onnx", centred_by=30), threads=1)
    np.testing.assert_allclose(embedder(crops), patch_means(crops - 30.0), atol=1e-5)


def test_embedder_no_crops_gives_no_embeddings(tmp_path: Path, crops: NDArray[np.uint8]):
    path = write_recogniser(tmp_path / "r.onnx")
    embedder = Embedder(path, threads=1)
    assert embedder(crops[:0]).shape == (0, SIZE)
    assert embedder.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    embedder.close()


def test_embedder_closed_refuses(tmp_path: Path, crops: NDArray[np.uint8]):
    embedder = Embedder(write_recogniser(tmp_path / "r.onnx"), threads=1)
    embedder.close()
    with pytest.raises(ClosedError, match="is closed; open another one"):
        embedder(crops)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ({"shape": (1, 3, 224, 224)}, r"its input is f32 \[1,3,224,224\], not f32 \[N,3,112,112\]"),
        ({"shape": ("N", 1, 112, 112)}, r"its input is f32 \[\?,1,112,112\], not"),
        ({"flat": False}, r"its output for one crop is \[1,3,7,7\], not \[1,D\]"),
    ],
)
def test_embedder_other_network_is_one_line(tmp_path: Path, made, said: str):
    path = write_recogniser(tmp_path / "r.onnx", **made)
    with pytest.raises(UserError, match=said) as error:
        Embedder(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [None, b"no network"])
def test_embedder_file_that_is_no_network_is_one_line(tmp_path: Path, content: bytes | None):
    path = tmp_path / "r.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"r\.onnx: (cannot be read|is no ONNX)") as error:
        Embedder(path)
    assert "\n" not in str(error.value)


def test_periocular_keeps_the_upper_rows_alone(crops: NDArray[np.uint8]):
    before = crops.copy()
    kept = periocular(crops)
    assert np.array_equal(crops, before)
    assert np.array_equal(kept[:, :PERIOCULAR_ROWS], crops[:, :PERIOCULAR_ROWS])
    assert np.unique(kept[:, PERIOCULAR_ROWS:]).size == 1
    assert np.array_equal(periocular(crops[0]), kept[0])
