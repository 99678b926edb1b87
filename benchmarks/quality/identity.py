"""Does unmasking bring a face nearer to its bare self for a recogniser? dlib's similarity, on worn masks.

The recogniser has never seen the generator's training loss at work on these faces: they are held out. But
the loss's network is a coarser coding of the same one; see `trainer.evaluate.identity`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.tables import Row, publish
from inpaint_model import open_inpainter
from realtime.inpaint.colour_matching import match_colour
from realtime.inpaint.self_ensemble import self_ensemble
from realtime.segment.mask_cleaning import hole_of, mask_pixels
from realtime.segment.segmenter import MaskSegmenter
from realtime.synthetic import load_templates, random_style, render_mask
from trainer.data import face_set as faceset
from trainer.data.face_set import FaceSet
from trainer.evaluate.identity import cosines, different_people, distances, load_identity

_SAME_PERSON = 0.6  # dlib's threshold, a distance
Crops = NDArray[np.uint8]


def run(
    data: list[Path], templates: Path | None, out: Path | None, model: str, engine: str, limit: int
) -> list[Row]:
    """Put a random mask on held-out faces, unmask them, and compare all three with another.

    Raises:
        UserError: dlib's network is not installed.
    """
    identity = load_identity()
    faces = faceset.load(data).canonical().only("val")
    order = np.random.default_rng(4).permutation(len(faces))[:limit]
    faces = faces.where(np.isin(np.arange(len(faces)), order))
    masked, unmasked = _worn_and_filled(faces, templates, model, engine)
    true, hidden, shown = (identity.embed(crops) for crops in (faces.crops, masked, unmasked))
    partner = different_people(faces.identity, faces.source)
    rows: list[Row] = []
    for source in np.unique(faces.source):
        of = faces.source == source
        for name, codes in (("masked", hidden), (f"unmasked, {model}", shown)):
            near = distances(codes[of], true[of])
            others = of & (partner >= 0)
            strangers = distances(codes[others], true[partner[others]])
            rows.append(
                {
                    "data": str(source),
                    "face": name,
                    "faces": int(of.sum()),
                    "cosine with the bare face": float(cosines(codes[of], true[of]).mean()),
                    "distance": float(near.mean()),
                    "taken for the same person": float((near < _SAME_PERSON).mean()),
                    "distance to others": float(strangers.mean()),
                    "others taken for them": float((strangers < _SAME_PERSON).mean()),
                }
            )
    publish("identity", rows, out)
    return rows


def _worn_and_filled(
    faces: FaceSet, templates: Path | None, model: str, engine: str
) -> tuple[Crops, Crops]:
    """The faces wearing masks; those marked and filled as pictures are; uint8 [N, 128, 128, 3]."""
    rng = np.random.default_rng(5)
    drawings = load_templates(templates) if templates else []
    masked, unmasked = [], []
    with MaskSegmenter() as segmenter:
        inpainter = open_inpainter(model, engine)
        for crop, valid, landmarks in zip(faces.crops, faces.valid, faces.landmarks, strict=True):
            worn = render_mask(crop, landmarks, random_style(rng, drawings)).image_rgb
            hole = hole_of(mask_pixels(segmenter(np.ascontiguousarray(worn))))
            (filled,) = self_ensemble(inpainter, worn[None], (hole | ~valid)[None])
            filled = np.where(hole[..., None], filled, worn)
            masked.append(worn)
            unmasked.append(match_colour(filled, hole, valid & ~hole))
        inpainter.close()
    return np.stack(masked), np.stack(unmasked)
