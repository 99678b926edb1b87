"""How well the replaced pixels agree with masks outlined by hand in real photographs: their IoU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from numpy.typing import NDArray
from rich.progress import track

from benchmarks.options import Engine, Model, Out
from benchmarks.photographs.hand_outlines import Outline, load
from benchmarks.photographs.tiles import Box, fit, labelled, surroundings, write_pages
from benchmarks.tables import Row, publish
from inpaint_model.errors import UserError
from realtime import Unmasker
from realtime.align.canonical_crop import CROP_SIZE
from realtime.align.warp_crop import warp_crop
from realtime.frames import FaceResult, SegmentedFrame
from realtime.segment.mask_cleaning import hole_from_mask, mask_pixels
from realtime.segment.segmenter import MaskSegmenter

_TILE_PX, _COLUMNS, _PER_PAGE, _WORST = 360, 5, 20, 10
_SUPERSAMPLING = 8  # an outline is warped into a crop at so many times its size
_GREEN, _RED = (0, 255, 0), (0, 0, 255)  # BGR


@dataclass(frozen=True)
class Agreement:
    """How one photograph's result agrees with its outline.

    Attributes:
        name: the photograph's file name.
        found: a face was found at the outline.
        acted: that face was filled.
        replaced: IoU of the replaced pixels and the outline; 0 where nothing was replaced.
        mask: IoU of the segmented mask, before it grows by its rim, and the outline.
        outline: IoU of the outline and of the pixels that would be replaced if the segmenter had found
            exactly the outline: the cost of the rim. None where no face was found.
    """

    name: str
    found: bool
    acted: bool
    replaced: float
    mask: float
    outline: float | None


def iou(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Intersection over union of two masks, bool [H, W]; 0 where both are empty."""
    union = np.count_nonzero(one | other)
    return np.count_nonzero(one & other) / union if union else 0.0


def run(
    photos: Annotated[Path, typer.Option(help="Folder of the outlined photographs.")],
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
) -> list[Row]:
    """Compare the replaced pixels with masks outlined by hand; draw both outlines on sheets."""
    present = [one for one in load() if (photos / one.name).is_file()]
    if not present:
        raise UserError(f"{photos}: none of the outlined photographs is here")
    agreements: list[Agreement] = []
    tiles = []
    with (
        Unmasker(model=model, engine=engine, mode="image") as unmasker,
        MaskSegmenter() as segmenter,
    ):
        for outline in track(present, "outlined photographs"):
            frame = _read(photos, outline)
            one, replaced, boxes = _compare(frame, outline, unmasker, segmenter)
            agreements.append(one)
            if out is not None:
                tiles.append(_tile(frame, outline.mask(), replaced, boxes, one))
    worst = [one.name for one in sorted(agreements, key=lambda one: one.replaced)[:_WORST]]
    details = {"worst": worst, "photographs": [vars(one) for one in agreements]}
    rows = publish("outlines", _table(agreements), out, details)
    print("\nworst: " + ", ".join(worst))
    if out is not None:
        write_pages(out / "sheet-outlines.png", tiles, _COLUMNS, _PER_PAGE)
    return rows


def _read(folder: Path, outline: Outline) -> NDArray[np.uint8]:
    path = folder / outline.name
    frame = cv2.imread(str(path))
    if frame is None or frame.shape[1::-1] != outline.size:
        raise UserError(f"{path}: not the outlined picture of {outline.size} pixels")
    return np.asarray(frame, dtype=np.uint8)


def _compare(
    frame: NDArray[np.uint8], outline: Outline, unmasker: Unmasker, segmenter: MaskSegmenter
) -> tuple[Agreement, NDArray[np.bool_], list[Box]]:
    """Unmask one photograph; only faces whose box meets the outline count.

    Returns:
        The agreement, the pixels replaced for those faces, and the faces' boxes.
    """
    true = outline.mask()
    segmented = unmasker.segment(unmasker.detect_and_track(frame))
    result = unmasker.composite(unmasker.inpaint(segmented))
    faces = [face for face in result.faces if _meets(face.box, true)]
    replaced = _replaced_for(faces, result.replaced > 0, result.faces)
    mask = np.zeros_like(true)
    matrices = {face.track_id: face.matrix for face in segmented.faces}
    for face in faces:
        if face.inpainted:
            matrix = matrices[face.track_id]
            crop, _ = warp_crop(frame, matrix)
            found = mask_pixels(segmenter(np.ascontiguousarray(crop[:, :, ::-1])))
            mask |= _to_frame(found, matrix, true.shape)
    agreement = Agreement(
        outline.name,
        bool(faces),
        any(face.inpainted for face in faces),
        iou(replaced, true),
        iou(mask, true),
        _agreement_of_outline(true, segmented, unmasker),
    )
    return agreement, replaced, [face.box for face in faces]


def _agreement_of_outline(
    true: NDArray[np.bool_], segmented: SegmentedFrame, unmasker: Unmasker
) -> float | None:
    """IoU of an outline and of the pixels that are replaced when it is taken as the mask."""
    ours = [face for face in segmented.faces if _meets(face.tracked.face.box, true)]
    if not ours:
        return None
    face = max(ours, key=lambda one: one.tracked.face.size)
    mask = _to_crop(true, face.matrix)
    face = replace(face, mask=mask, hole=hole_from_mask(mask), wears_mask=True, mask_version=-1)
    result = unmasker.composite(unmasker.inpaint(replace(segmented, faces=(face,))))
    return iou(result.replaced > 0, true)


def _to_crop(true: NDArray[np.bool_], matrix: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Warp an outline into a crop: the pixels that it covers by a half or more."""
    shift = np.array([[0, 0, 1.0], [0, 0, 1.0]]) * (_SUPERSAMPLING - 1) / 2
    size = (CROP_SIZE * _SUPERSAMPLING,) * 2
    large = cv2.warpAffine(true.astype(np.float32), matrix * _SUPERSAMPLING + shift, size)
    return cv2.resize(large, (CROP_SIZE, CROP_SIZE), interpolation=cv2.INTER_AREA) >= 0.5


def _to_frame(
    mask: NDArray[np.bool_], matrix: NDArray[np.float64], shape: tuple[int, ...]
) -> NDArray[np.bool_]:
    """Warp a mask from a crop into the frame."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(mask.astype(np.float32), matrix, shape[1::-1], flags=flags) > 0.5


def _meets(box: Box, true: NDArray[np.bool_]) -> bool:
    x0, y0, x1, y1 = (max(0, round(value)) for value in box)
    return bool(true[y0:y1, x0:x1].any())


def _replaced_for(
    wanted: Sequence[FaceResult], replaced: NDArray[np.bool_], faces: Sequence[FaceResult]
) -> NDArray[np.bool_]:
    """Keep the pixels replaced for the wanted faces: a pixel belongs to the nearest filled face."""
    filled = [face for face in faces if face.inpainted]
    ids = {face.track_id for face in wanted}
    ours = [face.track_id in ids for face in filled]
    if all(ours):
        return replaced
    rows, columns = np.indices(replaced.shape)
    distances = []
    for face in filled:
        x0, y0, x1, y1 = face.box
        away = np.hypot(columns - (x0 + x1) / 2, rows - (y0 + y1) / 2)
        distances.append(away / max(x1 - x0, y1 - y0, 1.0))
    return replaced & np.array(ours)[np.argmin(distances, axis=0)]


def _table(agreements: list[Agreement]) -> list[Row]:
    acted = [one for one in agreements if one.acted]
    rows: list[Row] = []
    for what, key in (
        ("replaced", "replaced"),
        ("mask before its rim", "mask"),
        ("outline with a rim", "outline"),
    ):
        values, of_acted = (_values(some, key) for some in (agreements, acted))
        rows.append(
            {
                "what": what,
                "photographs": len(agreements),
                "found": sum(one.found for one in agreements) / len(agreements),
                "acted on": len(acted) / len(agreements),
                "IoU mean": float(values.mean()),
                "median": float(np.median(values)),
                "worst": float(values.min()),
                "mean of those acted on": float(of_acted.mean()),
            }
        )
    return rows


def _values(agreements: list[Agreement], key: str) -> NDArray[np.float64]:
    """The values of one measure; a single 0 where there is none."""
    values = [getattr(one, key) for one in agreements]
    return np.array([value for value in values if value is not None] or [0.0])


def _tile(
    frame: NDArray[np.uint8],
    true: NDArray[np.bool_],
    replaced: NDArray[np.bool_],
    boxes: list[Box],
    one: Agreement,
) -> NDArray[np.uint8]:
    """Draw the outline in green and the contour of the replaced pixels in red."""
    x, y, width, height = cv2.boundingRect(true.view(np.uint8))
    part = surroundings(frame.shape, [*boxes, (x, y, x + width - 1, y + height - 1)], 0.1)
    tile = fit(frame[part], _TILE_PX)
    for mask, colour in ((true, _GREEN), (replaced, _RED)):
        white = np.repeat(mask[part][..., None].astype(np.uint8) * 255, 3, axis=2)
        binary = (fit(white, _TILE_PX)[..., 0] > 127).astype(np.uint8)
        contours, _ = cv2.findContours(binary, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(tile, contours, -1, colour, 1, cv2.LINE_AA)
    state = f"{one.replaced:.3f}" if one.acted else "not acted on" if one.found else "not found"
    return labelled(tile, f"{one.name} {state}")
