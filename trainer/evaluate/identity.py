"""Identity similarity of filled and true faces by dlib's recognition network (extra `recognition`)."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inpaint_model.errors import UserError

MODEL_SHA256 = "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30"
_CHIP_ROWS, _CHIP_COLUMNS, _CHIP_SIZE = slice(14, 120), slice(11, 117), 150
_MODEL_FILE = Path("models", "dlib_face_recognition_resnet_model_v1.dat")
_HOW_TO_INSTALL = "install it with `pip install -c constraints.txt -e '.[recognition]'`"


class Identity:
    """dlib's face recognition network (King 2017, `dlib_face_recognition_resnet_model_v1`).

    The perceptual loss of training uses a quantised copy of the same network, so that this is not an
    independent judge of models trained with it.

    Args:
        network: the loaded dlib network.

    Attributes:
        network: the same; its `compute_face_descriptor` takes an aligned chip, uint8 [150, 150, 3], RGB.
    """

    def __init__(self, network: Any) -> None:
        self.network = network

    def embed(self, crops: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return identity embeddings of canonical crops.

        dlib expects aligned chips of 150x150. Rows 14 to 120 and columns 11 to 117 of a canonical crop,
        resized, replace them: 98.5 % of held-out LFW pairs are classified right at dlib's threshold, a
        distance of 0.6 (mean over same and different pairs).

        Args:
            crops: uint8 [N, 128, 128, 3], RGB.

        Returns:
            float64 [N, 128], not normalised.
        """
        codes = [self.network.compute_face_descriptor(_chip(crop)) for crop in crops]
        return np.array(codes, dtype=np.float64).reshape(len(crops), 128)


def _chip(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    window = crop[_CHIP_ROWS, _CHIP_COLUMNS]
    return cv2.resize(window, (_CHIP_SIZE, _CHIP_SIZE), interpolation=cv2.INTER_LINEAR)


def load_identity() -> Identity:
    """Load the network from the packages of the extra `recognition`.

    Raises:
        UserError: a package is not installed, or its weights are not the pinned ones.
    """
    try:
        dlib: Any = importlib.import_module("dlib")
    except ImportError as error:
        raise UserError(f"dlib is not installed ({error}): {_HOW_TO_INSTALL}") from None
    # The weights' package is located without an import, which would need the old `pkg_resources`.
    spec = importlib.util.find_spec("face_recognition_models")
    places = list(spec.submodule_search_locations or []) if spec else []
    path = next((file for place in places if (file := Path(place) / _MODEL_FILE).is_file()), None)
    if path is None:
        raise UserError(
            f"dlib's weights (face-recognition-models) are not installed: {_HOW_TO_INSTALL}"
        )
    if hashlib.sha256(path.read_bytes()).hexdigest() != MODEL_SHA256:
        raise UserError(f"{path}: not dlib's published weights: {_HOW_TO_INSTALL}")
    return Identity(dlib.face_recognition_model_v1(str(path)))


def distances(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Euclidean distances of embeddings, float64 [N, 128] each; float64 [N], 0 if equal."""
    return np.linalg.norm(a - b, axis=1)


def cosines(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cosine similarities of embeddings, float64 [N, 128] each; float64 [N], 1 if equal."""
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return (a * b).sum(1) / np.maximum(norms, 1e-12)


def different_people(
    people: NDArray[np.str_], sources: NDArray[np.str_], seed: int = 0
) -> NDArray[np.int64]:
    """Pair each photograph with one of a different person of the same data set.

    Photographs without a name count as different people: among thousands of people two random
    photographs hardly ever show the same one.

    Args:
        people: str [N], the person's name, or empty.
        sources: str [N], the data set's name.
        seed: random seed.

    Returns:
        int64 [N], the partner's index; -1 if the data set has no other person.
    """
    partners = np.full(len(people), -1, dtype=np.int64)
    rng = np.random.default_rng(seed)
    for source in np.unique(sources):
        ring = rng.permutation(np.flatnonzero(sources == source))
        for at, index in enumerate(ring):
            after = np.concatenate([ring[at + 1 :], ring[:at]])
            others = after[(people[after] != people[index]) | (people[after] == "")]
            if len(others):
                partners[index] = others[0]
    return partners
