"""Evaluates a generator on faces under a named protocol of holes, image by image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import nn

from inpaint_model.errors import UserError
from trainer.augment.holes import draw_protocol
from trainer.data.face_set import FaceSet
from trainer.evaluate import image_similarity as similarity
from trainer.evaluate.fill_crops import raw_outputs
from trainer.evaluate.identity import Identity, cosines, different_people, distances
from trainer.evaluate.measures import composited_psnr
from trainer.evaluate.scores import Scores
from trainer.losses.recogniser import Recogniser

PROTOCOLS = ("paper-squares", "face-mask")
GREY = 127  # level that holes are shown at
_BATCH = 50  # crops filled at a time


@dataclass(frozen=True)
class Filled:
    """The output of a generator.

    Attributes:
        composited: uint8 [N, 128, 128, 3], RGB, the crops with their holes filled.
        raw: the network's output without compositing, likewise; None if it is not known.
    """

    composited: NDArray[np.uint8]
    raw: NDArray[np.uint8] | None = None


class Generator(Protocol):
    """A generator to evaluate."""

    def __call__(self, crops: NDArray[np.uint8], holes: NDArray[np.bool_]) -> Filled:
        """Fill crops, uint8 [N, 128, 128, 3] RGB, in holes, bool [N, 128, 128]."""
        ...


def from_module(net: nn.Module) -> Generator:
    """Wrap a torch generator; it runs on the device of its weights."""
    net = net.eval()

    def run(crops: NDArray[np.uint8], holes: NDArray[np.bool_]) -> Filled:
        raw = raw_outputs(net, crops, holes)
        return Filled(np.where(holes[..., None], raw, crops), raw)

    return run


def from_inpainter(
    inpainter: Callable[[NDArray[np.uint8], NDArray[np.bool_]], NDArray[np.uint8]],
) -> Generator:
    """Wrap an open `inpaint_model.Inpainter`, or any function that returns composited crops."""
    return lambda crops, holes: Filled(inpainter(crops, holes))


def evaluate(
    generator: Generator,
    faces: FaceSet,
    protocol: str,
    *,
    seed: int = 7,
    recogniser: Recogniser | None = None,
    identity: Identity | None = None,
) -> Scores:
    """Fill the holes of a protocol in faces and measure each against its truth.

    Args:
        generator: from `from_module` or `from_inpainter`.
        faces: at least one; the same faces, protocol and seed give the same holes.
        protocol: one of `PROTOCOLS` (`trainer.augment.holes.draw_protocol`).
        seed: random seed of the holes.
        recogniser: measures the perceptual distance; None: not measured.
        identity: measures identity; None: not measured.

    Raises:
        UserError: no such protocol, or no face with a hole inside its photograph.
    """
    if protocol not in PROTOCOLS:
        raise UserError(f"no such protocol: {protocol} (take {' or '.join(PROTOCOLS)})")
    if not len(faces):
        raise UserError("no face to evaluate")
    holes, valid_holes = draw_protocol(faces, protocol, seed)
    rows = np.flatnonzero(similarity.without_border(valid_holes).any((1, 2)))
    if not len(rows):
        raise UserError(f"{protocol}: no hole lies inside its photograph")
    parts: list[dict[str, NDArray]] = []
    for at in range(0, len(rows), _BATCH):
        some = rows[at : at + _BATCH]
        crops, valid = faces.crops[some], faces.valid[some]
        out = generator(crops, holes[some] | ~valid)
        part = _pixel_measures(out, crops, valid, valid_holes[some])
        if recogniser is not None:
            filled = part["filled"]
            part["perceptual"] = similarity.perceptual_distance(recogniser, filled, crops)
        if identity is not None:
            part |= _identity_measures(identity, part["filled"], crops, valid_holes[some])
        parts.append(part)
    figures = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    if identity is not None:
        figures |= _stranger_measures(
            figures.pop("embeddings"), faces.identity[rows], faces.source[rows], seed
        )
    return Scores(protocol, rows, holes[rows], coverage=holes[rows].mean((1, 2)), **figures)


def _pixel_measures(
    out: Filled,
    crops: NDArray[np.uint8],
    valid: NDArray[np.bool_],
    valid_holes: NDArray[np.bool_],
) -> dict[str, NDArray]:
    """Compute the metrics of the pixels of one batch."""
    filled = np.where(valid_holes[..., None], out.composited, crops)
    everywhere = np.ones_like(valid)
    ssim, ssim_whole, ssim_hole = similarity.ssim(filled, crops, valid, everywhere, valid_holes)
    part: dict[str, NDArray] = {
        "filled": filled,
        "psnr": composited_psnr(filled, crops, valid),
        "psnr_whole": composited_psnr(filled, crops),
        "psnr_hole": composited_psnr(filled, crops, valid_holes),
        "ssim": ssim,
        "ssim_whole": ssim_whole,
        "ssim_hole": ssim_hole,
        "gmsd": similarity.gmsd(filled, crops, valid),
    }
    if out.raw is not None:
        raw = np.where(valid[..., None], out.raw, crops)
        part["psnr_raw"] = composited_psnr(raw, crops, valid)
        part["ssim_raw"] = similarity.ssim(raw, crops, valid)[0]
    return part


def _identity_measures(
    identity: Identity,
    filled: NDArray[np.uint8],
    crops: NDArray[np.uint8],
    valid_holes: NDArray[np.bool_],
) -> dict[str, NDArray]:
    """Compare filled and masked faces with the true ones; `embeddings` are the true ones'."""
    masked = np.where(valid_holes[..., None], np.uint8(GREY), crops)
    true, shown, hidden = (identity.embed(pictures) for pictures in (crops, filled, masked))
    return {
        "embeddings": true,
        "identity_distance": distances(shown, true),
        "identity_cosine": cosines(shown, true),
        "masked_distance": distances(hidden, true),
        "masked_cosine": cosines(hidden, true),
    }


def _stranger_measures(
    embeddings: NDArray[np.float64], people: NDArray[np.str_], sources: NDArray[np.str_], seed: int
) -> dict[str, NDArray]:
    """Compare each true face with that of another person."""
    partners = different_people(people, sources, seed)
    found = partners >= 0
    return {
        "others_distance": np.where(found, distances(embeddings, embeddings[partners]), np.nan),
        "others_cosine": np.where(found, cosines(embeddings, embeddings[partners]), np.nan),
    }
