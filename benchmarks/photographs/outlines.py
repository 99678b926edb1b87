"""How well the replaced pixels agree with masks outlined by hand in real photographs: their IoU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from benchmarks.photographs.hand_outlines import Outline, load
from benchmarks.photographs.tiles import fit, labelled, surroundings, write_pages
from benchmarks.tables import Row, publish
from inpaint_model.errors import UserError
from realtime import Unmasker
from realtime.align.canonical_crop import CROP_SIZE
from realtime.align.warp_crop import warp_crop
from realtime.frames import FaceResult, Marked
from realtime.segment.mask_cleaning import hole_of, mask_pixels
from realtime.segment.segmenter import MaskSegmenter

_TILE, _COLUMNS, _A_PAGE, _WORST = 360, 5, 20, 10
_FINER = 8
_GREEN, _RED = (0, 255, 0), (0, 0, 255)


@dataclass(frozen=True)
class Agreement:
    """What came of one photograph.

    Attributes:
        name: its file name.
        found: a face was found where the mask is.
        acted: that face was filled.
        replaced: IoU of the replaced pixels and the outline; 0 where nothing was replaced.
        mask: the same of the mask alone, before it is widened by its rim.
        outline: the same of what would be replaced if the outline itself had been found: what the rim
            costs. None where no face was found.
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
    folder: Path, out: Path | None, model: str, engine: str, marked: Sequence[Outline] | None = None
) -> list[Row]:
    """Unmask the outlined photographs of a folder and compare; draw both outlines on sheets.

    Raises:
        UserError: the folder has none of them, or another version of one.
    """
    outlines = [one for one in marked or load() if (folder / one.name).is_file()]
    if not outlines:
        raise UserError(f"{folder}: none of the outlined photographs is here")
    seen: list[Agreement] = []
    tiles = []
    with Unmasker(model=model, engine=engine, still=True) as unmasker, MaskSegmenter() as segmenter:
        for outline in track(outlines, "outlined photographs"):
            frame = _read(folder, outline)
            one, replaced, boxes = _compare(frame, outline, unmasker, segmenter)
            seen.append(one)
            if out is not None:
                tiles.append(_tile(frame, outline.mask(), replaced, boxes, one))
    rows = _table(seen)
    worst = [one.name for one in sorted(seen, key=lambda one: one.replaced)[:_WORST]]
    details = {"worst": worst, "photographs": [vars(one) for one in seen]}
    publish("outlines", rows, out, details)
    print("\nworst: " + ", ".join(worst))
    if out is not None:
        write_pages(out / "sheet-outlines.png", tiles, _COLUMNS, _A_PAGE)
    return rows


def _read(folder: Path, outline: Outline) -> NDArray[np.uint8]:
    path = folder / outline.name
    frame = cv2.imread(str(path))
    if frame is None or frame.shape[1::-1] != outline.size:
        raise UserError(f"{path}: not the outlined picture of {outline.size} pixels")
    return np.asarray(frame, dtype=np.uint8)


def _compare(
    frame: NDArray[np.uint8], outline: Outline, unmasker: Unmasker, segmenter: MaskSegmenter
) -> tuple[Agreement, NDArray[np.bool_], list[tuple[float, float, float, float]]]:
    """Unmask one photograph; only faces whose box meets the outline count."""
    true = outline.mask()
    seen = unmasker.look(frame)
    marked = unmasker.mark(seen)
    result = unmasker.blend(unmasker.fill(marked))
    meets = [_meets(face.box, true) for face in result.faces]
    replaced = _of_faces(result.replaced > 0, result.faces, meets)
    mask = np.zeros_like(true)
    sights = {sight.track.track_id: sight for sight in seen.sights}
    for face, meeting in zip(result.faces, meets, strict=True):
        if not meeting:
            continue
        sight = sights[face.track_id]
        matrix = sight.track.framing.of(sight.matrix)
        crop, _ = warp_crop(frame, matrix)
        if face.inpainted:
            found = mask_pixels(segmenter(np.ascontiguousarray(crop[:, :, ::-1])))
            mask |= _to_frame(found, matrix, true.shape)
    agreement = Agreement(
        outline.name,
        any(meets),
        any(face.inpainted for face, meeting in zip(result.faces, meets, strict=True) if meeting),
        iou(replaced, true),
        iou(mask, true),
        _of_outline(true, marked, unmasker),
    )
    boxes = [face.box for face, meeting in zip(result.faces, meets, strict=True) if meeting]
    return agreement, replaced, boxes


def _of_outline(true: NDArray[np.bool_], marked: Marked, unmasker: Unmasker) -> float | None:
    """IoU of an outline and of what is replaced where exactly it is the mask."""
    ours = [work for work in marked.work if _meets(work.sight.face.box, true)]
    if not ours:
        return None
    work = max(ours, key=lambda one: one.sight.face.size)
    mask = _to_crop(true, work.matrix)
    work = replace(work, mask=mask, hole=hole_of(mask), worn=True, masked=True)
    result = unmasker.blend(unmasker.fill(replace(marked, work=[work])))
    return iou(result.replaced > 0, true)


def _to_crop(true: NDArray[np.bool_], matrix: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Show an outline in a crop: what covers half of a pixel counts."""
    finer = matrix * _FINER + np.array([[0, 0, 1.0], [0, 0, 1.0]]) * (_FINER - 1) / 2
    large = cv2.warpAffine(true.astype(np.float32), finer, (CROP_SIZE * _FINER,) * 2)
    return cv2.resize(large, (CROP_SIZE, CROP_SIZE), interpolation=cv2.INTER_AREA) >= 0.5


def _meets(box: tuple[float, float, float, float], true: NDArray[np.bool_]) -> bool:
    x0, y0, x1, y1 = (max(0, round(value)) for value in box)
    return bool(true[y0:y1, x0:x1].any())


def _of_faces(
    replaced: NDArray[np.bool_], faces: Sequence[FaceResult], wanted: Sequence[bool]
) -> NDArray[np.bool_]:
    """Keep what was replaced for the wanted faces: each pixel belongs to the nearest filled face."""
    filled = [face for face in faces if face.inpainted]
    ours = [want for face, want in zip(faces, wanted, strict=True) if face.inpainted]
    if all(ours):
        return replaced
    rows, columns = np.indices(replaced.shape)
    distances = []
    for face in filled:
        x, y = (face.box[0] + face.box[2]) / 2, (face.box[1] + face.box[3]) / 2
        size = max(face.box[2] - face.box[0], face.box[3] - face.box[1], 1.0)
        distances.append(np.hypot(columns - x, rows - y) / size)
    return replaced & np.array(ours)[np.argmin(distances, axis=0)]


def _to_frame(
    mask: NDArray[np.bool_], matrix: NDArray[np.float64], shape: tuple[int, ...]
) -> NDArray[np.bool_]:
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    soft = mask.astype(np.float32)
    return cv2.warpAffine(soft, matrix, (shape[1], shape[0]), flags=flags) > 0.5


def _table(seen: list[Agreement]) -> list[Row]:
    acted = [one for one in seen if one.acted]
    rows: list[Row] = []
    for what, key in (
        ("replaced", "replaced"),
        ("mask before its rim", "mask"),
        ("outline with a rim", "outline"),
    ):
        values, of_acted = (_known(some, key) for some in (seen, acted))
        rows.append(
            {
                "what": what,
                "photographs": len(seen),
                "found": sum(one.found for one in seen) / len(seen),
                "acted on": len(acted) / len(seen),
                "IoU mean": float(values.mean()),
                "median": float(np.median(values)),
                "worst": float(values.min()),
                "mean of those acted on": float(of_acted.mean()),
            }
        )
    return rows


def _known(seen: list[Agreement], key: str) -> NDArray[np.float64]:
    """The values there are of one kind; a single 0 where there is none."""
    values = [getattr(one, key) for one in seen]
    return np.array([value for value in values if value is not None] or [0.0])


def _tile(
    frame: NDArray[np.uint8],
    true: NDArray[np.bool_],
    replaced: NDArray[np.bool_],
    boxes: list[tuple[float, float, float, float]],
    one: Agreement,
) -> NDArray[np.uint8]:
    """Draw the outline in green and the rim of what was replaced in red."""
    ys, xs = np.nonzero(true)
    hull = (float(xs.min()), float(ys.min()), float(xs.max()), float(ys.max()))
    rows, columns = surroundings(frame.shape, [*boxes, hull], 0.1)
    tile = fit(frame[rows, columns], _TILE)
    for mask, colour in ((true, _GREEN), (replaced, _RED)):
        part = fit(np.repeat(mask[rows, columns, None].astype(np.uint8) * 255, 3, axis=2), _TILE)
        contours, _ = cv2.findContours(
            (part[..., 0] > 127).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE
        )
        cv2.drawContours(tile, contours, -1, colour, 1, cv2.LINE_AA)
    state = f"{one.replaced:.3f}" if one.acted else "not acted on" if one.found else "not found"
    return labelled(tile, f"{one.name} {state}")
