"""How well the shipped segmenter marks masks it was not trained on: intersection over union."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from benchmarks.tables import Row, publish
from realtime.segment.segmenter import MaskSegmenter
from realtime.synthetic import MaskStyle, Template, load_templates, random_style, render_mask
from trainer.data import face_set as faceset
from trainer.evaluate.measures import iou


def run(data: list[Path], templates: Path | None, out: Path | None, limit: int = 300) -> list[Row]:
    """Put each template (and the procedural masks) on held-out faces; compare what is found."""
    faces = faceset.load(data).canonical().only("val", ("lfw", "celeba"))
    order = np.random.default_rng(3).permutation(len(faces))[:limit]
    faces = faces.where(np.isin(np.arange(len(faces)), order))
    kinds: dict[str, list[Template]] = {"procedural": []}
    for template in load_templates(templates) if templates else []:
        kinds[template.name] = [template]
    rows: list[Row] = []
    tiles = []
    with MaskSegmenter() as segmenter:
        for kind, worn_templates in kinds.items():
            rng = np.random.default_rng(5)
            found, true = [], []
            for crop, landmarks in zip(faces.crops, faces.landmarks, strict=True):
                style: MaskStyle = random_style(
                    rng, worn_templates, template_share=1.0 if worn_templates else 0.0
                )
                worn = render_mask(crop, landmarks, style)
                found.append(segmenter(np.ascontiguousarray(worn.image_rgb)) > 0.5)
                true.append(worn.alpha > 0)
                if len(found) <= 12:
                    painted = worn.image_rgb.copy()
                    painted[found[-1] & ~true[-1]] = (255, 255, 0)
                    painted[~found[-1] & true[-1]] = (255, 0, 0)
                    tiles += [np.vstack([worn.image_rgb, painted])]
            values = iou(np.stack(found), np.stack(true))
            rows.append(
                {
                    "mask": kind,
                    "faces": len(values),
                    "IoU": float(values.mean()),
                    "worst tenth": float(np.quantile(values, 0.1)),
                }
            )
        bare = [(segmenter(np.ascontiguousarray(crop)) > 0.5).mean() > 0.04 for crop in faces.crops]
    rows.append(
        {
            "mask": "none (share taken for masked)",
            "faces": len(bare),
            "IoU": float(np.mean(bare)),
            "worst tenth": 0.0,
        }
    )
    publish("segmentation", rows, out)
    if out is not None:
        sheet = np.vstack([np.hstack(tiles[i : i + 12]) for i in range(0, len(tiles), 12)])
        cv2.imwrite(str(out / "sheet-segmentation.png"), sheet[:, :, ::-1])
    return rows
