"""How well the shipped segmenter marks masks that it was not trained on: intersection over union."""

from __future__ import annotations

import numpy as np

from benchmarks.options import Data, Limit, Out, Templates
from benchmarks.photographs.tiles import write_tiles
from benchmarks.tables import Row, publish
from realtime.segment.segmenter import MaskSegmenter
from realtime.synthetic import Template, load_templates, random_style, render_mask
from trainer.data import face_set as faceset
from trainer.evaluate.measures import iou

_SHOWN = 12  # faces of each kind of mask on the sheet
_FOUND = 0.5  # probability from which a pixel counts as mask
_MASKED_SHARE = 0.04  # of the crop: a bare face with more mask pixels counts as taken for masked
_YELLOW, _RED = (255, 255, 0), (255, 0, 0)  # RGB


def run(data: Data, templates: Templates = None, out: Out = None, limit: Limit = 300) -> list[Row]:
    """Measure the segmenter's IoU on held-out faces that wear each template and procedural masks.

    A sheet shows pixels that were wrongly found in yellow and pixels that were missed in red.
    """
    faces = faceset.load(data).canonical().select("val", ("lfw", "celeba"))
    faces = faces.sample(limit or len(faces), 3)
    kinds: dict[str, list[Template]] = {"procedural": []}
    for template in load_templates(templates) if templates else []:
        kinds[template.name] = [template]
    rows: list[Row] = []
    tiles = []
    with MaskSegmenter() as segmenter:
        for kind, drawings in kinds.items():
            rng = np.random.default_rng(5)
            found, true = [], []
            for crop, landmarks in zip(faces.crops, faces.landmarks, strict=True):
                style = random_style(rng, drawings, template_share=float(bool(drawings)))
                rendered = render_mask(crop, landmarks, style)
                found.append(segmenter(np.ascontiguousarray(rendered.image_rgb)) > _FOUND)
                true.append(rendered.alpha > 0)
                if len(found) <= _SHOWN:
                    marked = rendered.image_rgb.copy()
                    marked[found[-1] & ~true[-1]] = _YELLOW
                    marked[~found[-1] & true[-1]] = _RED
                    tiles.append(np.vstack([rendered.image_rgb, marked])[:, :, ::-1])
            values = iou(np.stack(found), np.stack(true))
            rows.append(_row(kind, len(values), values.mean(), np.quantile(values, 0.1)))
        bare = [(segmenter(np.ascontiguousarray(crop)) > _FOUND).mean() for crop in faces.crops]
    taken_for_masked = np.mean(np.array(bare) > _MASKED_SHARE)
    rows.append(_row("none (share taken for masked)", len(bare), taken_for_masked, 0.0))
    if out is not None:
        write_tiles(out / "sheet-segmentation.png", tiles, _SHOWN)
    return publish("segmentation", rows, out)


def _row(mask: str, faces: int, mean: np.floating, worst_tenth: np.floating | float) -> Row:
    return {"mask": mask, "faces": faces, "IoU": float(mean), "worst tenth": float(worst_tenth)}
