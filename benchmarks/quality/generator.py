"""Quality of a generator on held-out faces, both protocols, beside OpenCV's own inpainting."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.options import Data, Engine, Model, Out
from benchmarks.tables import Row, publish
from inpaint_model import Inpainter, open_inpainter
from realtime.inpaint.layered_fill import STREAM_PASSES, fill_in_layers
from trainer.augment.generator_samples import draw_wider_protocol
from trainer.augment.holes import draw_protocol
from trainer.data import face_set as faceset
from trainer.data.face_set import FaceSet
from trainer.evaluate.fill_crops import make_sheet
from trainer.evaluate.image_similarity import ssim
from trainer.evaluate.measures import composited_psnr

_BLUR_PX = 3.0  # sigma; a mouth is some 22 px wide
_TELEA_RADIUS_PX = 5
_FACES_PER_SOURCE = 250


def telea(crops: NDArray[np.uint8], holes: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Fill with `cv2.inpaint` (Telea 2004)."""
    filled = [
        cv2.inpaint(crop, hole.astype(np.uint8), _TELEA_RADIUS_PX, cv2.INPAINT_TELEA)
        for crop, hole in zip(crops, holes, strict=True)
    ]
    return np.asarray(np.stack(filled), dtype=np.uint8)


def blurred_truth(crops: NDArray[np.uint8], holes: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Fill with the blurred ground truth: the score of a fill that knows the face but no detail."""
    soft = np.stack([cv2.GaussianBlur(crop, (0, 0), _BLUR_PX) for crop in crops])
    return np.where(holes[..., None], soft, crops).astype(np.uint8)


def run(data: Data, out: Out = None, model: Model = "fast", engine: Engine = "auto") -> list[Row]:
    """Measure PSNR and SSIM of a generator on held-out faces, beside OpenCV's Telea.

    A sheet shows 40 faces. Where the faces have a margin, wider crops are measured too.
    """
    val = faceset.load(data).select("val", ("lfw", "celeba"))
    canonical = val.canonical()
    rows: list[Row] = []
    with open_inpainter(model=model, engine=engine) as inpainter:
        for source in ("lfw", "celeba"):
            faces = canonical.select("val", (source,))
            faces = faces.where(np.arange(len(faces)) < _FACES_PER_SOURCE)
            for protocol in ("face-mask", "paper-squares"):
                holes, valid_holes = draw_protocol(faces, protocol, seed=7)
                fills = _fills(inpainter, faces, holes)
                for name, fill in fills.items():
                    row = {"data": source, "faces": len(faces), "protocol": protocol}
                    rows.append(row | _measures(name, faces, fill, holes, valid_holes))
                if out is not None and protocol == "face-mask":
                    sheet = make_sheet(faces.crops, holes, fills[_name(inpainter)])
                    out.mkdir(parents=True, exist_ok=True)
                    cv2.imwrite(str(out / f"sheet-{source}.png"), sheet[:, :, ::-1])
        wider = [_wider(val, inpainter, turn=turn) for turn in (False, True) if val.margin_px]
    if wider:
        publish("quality-wider", wider, out)
    return publish("quality", rows, out)


def _fills(
    inpainter: Inpainter, faces: FaceSet, holes: NDArray[np.bool_]
) -> dict[str, NDArray[np.uint8]]:
    """Fill with the generator, as the product does frames and pictures, and with the alternatives.

    Pixels outside the photograph are part of the generator's hole, but are not shown.
    """
    name = _name(inpainter)
    unknown = (holes | ~faces.valid).view(np.uint8)
    fills = {name: inpainter(faces.crops, unknown)}
    fills[f"{name}, 2 poses"] = fill_in_layers(inpainter, faces.crops, unknown, STREAM_PASSES)
    fills = {key: np.where(holes[..., None], fill, faces.crops) for key, fill in fills.items()}
    fills["Telea"] = telea(faces.crops, holes)
    fills[f"the truth, blurred by {_BLUR_PX:g} px"] = blurred_truth(faces.crops, holes)
    return fills


def _name(inpainter: Inpainter) -> str:
    return f"{inpainter.model} ({inpainter.engine}, {inpainter.precision})"


def _wider(faces: FaceSet, inpainter: Inpainter, *, turn: bool) -> Row:
    """Measure on wider crops, which the product takes of faces whose mask the crop would cut off."""
    batch = draw_wider_protocol(faces, rotate=turn, seed=7)
    filled = inpainter(batch.crops, batch.holes)
    inside = batch.valid_holes | ~batch.holes
    return {
        "faces": len(batch.crops),
        "protocol": "face-mask, wider crops" + (", turned heads" if turn else ""),
        "coverage": float(batch.valid_holes.mean()),
        "filled by": _name(inpainter),
        "composited dB": float(composited_psnr(filled, batch.crops, inside).mean()),
        "hole dB": float(composited_psnr(filled, batch.crops, batch.valid_holes).mean()),
    }


def _measures(
    name: str,
    faces: FaceSet,
    fill: NDArray[np.uint8],
    holes: NDArray[np.bool_],
    valid_holes: NDArray[np.bool_],
) -> dict[str, str | float | int]:
    everywhere = np.ones_like(faces.valid)
    shown = np.where((holes & ~faces.valid)[..., None], faces.crops, fill)
    return {
        "coverage": float(holes.mean()),
        "filled by": name,
        "composited dB": float(composited_psnr(fill, faces.crops, faces.valid).mean()),
        "whole crop dB": float(composited_psnr(shown, faces.crops, everywhere).mean()),
        "hole dB": float(composited_psnr(fill, faces.crops, valid_holes).mean()),
        "SSIM": float(ssim(shown, faces.crops, everywhere)[0].mean()),
    }
