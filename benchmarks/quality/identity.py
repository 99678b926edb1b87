"""Is a face nearer to its bare self for a recogniser once it is unmasked? dlib's similarity.

The faces are held out: the generator was not trained on them. But the network of its training loss is a
coarser coding of the same recogniser; see `trainer.evaluate.identity`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.options import Data, Engine, Limit, Model, Out, Templates
from benchmarks.tables import Row, publish
from inpaint_model import open_inpainter
from realtime.frames import Fill, SegmentedFace
from realtime.inpaint.colour_matching import ColourMatching
from realtime.inpaint.layered_fill import STREAM_PASSES, fill_in_layers
from realtime.segment.mask_cleaning import hole_from_mask, mask_pixels
from realtime.segment.segmenter import MaskSegmenter
from realtime.synthetic import load_templates, random_style, render_mask
from trainer.data import face_set as faceset
from trainer.data.face_set import FaceSet
from trainer.evaluate.identity import cosines, different_people, distances, load_identity

_SAME_PERSON = 0.6  # dlib's threshold, a distance
Crops = NDArray[np.uint8]


def run(
    data: Data,
    templates: Templates = None,
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
    limit: Limit = 600,
) -> list[Row]:
    """Compare held-out faces, masked and unmasked, with their bare selves by dlib's recogniser."""
    identity = load_identity()
    faces = faceset.load(data).canonical().select("val")
    faces = faces.sample(limit or len(faces), 4)
    masked, unmasked = _masked_and_unmasked(faces, templates, model, engine)
    bare = identity.embed(faces.crops)
    embeddings = {"masked": identity.embed(masked), f"unmasked, {model}": identity.embed(unmasked)}
    stranger = different_people(faces.identity, faces.source)
    rows: list[Row] = []
    for source in np.unique(faces.source):
        of = faces.source == source
        paired = of & (stranger >= 0)
        for name, shown in embeddings.items():
            own = distances(shown[of], bare[of])
            others = distances(shown[paired], bare[stranger[paired]])
            rows.append(
                {
                    "data": str(source),
                    "face": name,
                    "faces": int(of.sum()),
                    "cosine with the bare face": float(cosines(shown[of], bare[of]).mean()),
                    "distance": float(own.mean()),
                    "taken for the same person": float((own < _SAME_PERSON).mean()),
                    "distance to others": float(others.mean()),
                    "others taken for them": float((others < _SAME_PERSON).mean()),
                }
            )
    return publish("identity", rows, out)


def _masked_and_unmasked(
    faces: FaceSet, templates: Path | None, model: str, engine: str
) -> tuple[Crops, Crops]:
    """Render masks on the faces, then segment and fill them as pictures; uint8 [N, 128, 128, 3] each."""
    rng = np.random.default_rng(5)
    drawings = load_templates(templates) if templates else []
    masked, unmasked, match_colours = [], [], ColourMatching()
    with MaskSegmenter() as segmenter, open_inpainter(model, engine) as inpainter:
        for crop, valid, landmarks in zip(faces.crops, faces.valid, faces.landmarks, strict=True):
            worn = render_mask(crop, landmarks, random_style(rng, drawings)).image_rgb
            hole = hole_from_mask(mask_pixels(segmenter(np.ascontiguousarray(worn))))
            unknown = (hole | ~valid)[None].view(np.uint8)
            (filled,) = fill_in_layers(inpainter, worn[None], unknown, STREAM_PASSES)
            filled = np.where(hole[..., None], filled, worn)
            masked.append(worn)
            face = SegmentedFace.of_crop(worn, hole, valid)
            unmasked.append(match_colours(Fill(filled), face).rgb)
    return np.stack(masked), np.stack(unmasked)
