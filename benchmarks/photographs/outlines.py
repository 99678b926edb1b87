"""How well masks agree with outlines drawn by hand in real photographs, and what is left of them to see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
from realtime.frames import FaceResult

_TILE_PX, _COLUMNS, _PER_PAGE, _WORST = 360, 5, 20, 10
_GREEN, _YELLOW, _RED = (0, 255, 0), (0, 255, 255), (0, 0, 255)  # BGR


@dataclass(frozen=True)
class Agreement:
    """How one photograph's result agrees with its outline.

    Attributes:
        name: the photograph's file name.
        found: a face was found at the outline.
        acted: that face was filled.
        mask: IoU of the mask that is marked and the outline; 0 where no mask was found.
        left: share of the outline's pixels that were not replaced: what is left to see of the mask.
        beside: pixels replaced outside the outline, as a share of the outline's: rim, shadow, and mistakes.
    """

    name: str
    found: bool
    acted: bool
    mask: float
    left: float
    beside: float


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
    """Compare masks and replaced pixels with outlines drawn by hand; draw all three on sheets."""
    present = [one for one in load() if (photos / one.name).is_file()]
    if not present:
        raise UserError(f"{photos}: none of the outlined photographs is here")
    agreements: list[Agreement] = []
    tiles = []
    with Unmasker(model=model, engine=engine, mode="image") as unmasker:
        for outline in track(present, "outlined photographs"):
            frame = _read(photos, outline)
            one, shapes, boxes = _compare(frame, outline, unmasker)
            agreements.append(one)
            if out is not None:
                tiles.append(_tile(frame, shapes, boxes, one))
    worst = [one.name for one in sorted(agreements, key=lambda one: one.mask)[:_WORST]]
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
    frame: NDArray[np.uint8], outline: Outline, unmasker: Unmasker
) -> tuple[Agreement, list[NDArray[np.bool_]], list[Box]]:
    """Unmask one photograph; only faces whose box meets the outline count.

    Returns:
        The agreement; the outline, the mask and the replaced pixels, bool [H, W]; the faces' boxes.
    """
    true = outline.mask()
    segmented = unmasker.segment(unmasker.detect_and_track(frame))
    result = unmasker.composite(unmasker.inpaint(segmented))
    faces = [face for face in result.faces if _meets(face.box, true)]
    replaced = _replaced_for(faces, result.replaced > 0, result.faces)
    acted = {face.track_id for face in faces if face.inpainted}
    mask = np.zeros_like(true)
    for face in segmented.faces:
        if face.track_id in acted:
            mask |= _to_frame(face.mask, face.matrix, true.shape)
    agreement = Agreement(
        outline.name,
        bool(faces),
        bool(acted),
        iou(mask, true),
        left=float(np.mean(~replaced[true])),
        beside=np.count_nonzero(replaced & ~true) / np.count_nonzero(true),
    )
    return agreement, [true, mask, replaced], [face.box for face in faces]


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
    for what, key, worst in (
        ("IoU of the mask", "mask", np.min),
        ("mask left to see", "left", np.max),
        ("replaced beside it", "beside", np.max),
    ):
        values, of_acted = (
            np.array([getattr(one, key) for one in some]) for some in (agreements, acted)
        )
        rows.append(
            {
                "what": what,
                "photographs": len(agreements),
                "found": sum(one.found for one in agreements) / len(agreements),
                "acted on": len(acted) / len(agreements),
                "mean": float(values.mean()),
                "median": float(np.median(values)),
                "worst": float(worst(values)),
                "mean of those acted on": float(of_acted.mean()) if acted else float("nan"),
            }
        )
    return rows


def _tile(
    frame: NDArray[np.uint8], shapes: list[NDArray[np.bool_]], boxes: list[Box], one: Agreement
) -> NDArray[np.uint8]:
    """Draw the outline in green, the mask's in yellow and that of the replaced pixels in red."""
    x, y, width, height = cv2.boundingRect(shapes[0].view(np.uint8))
    part = surroundings(frame.shape, [*boxes, (x, y, x + width - 1, y + height - 1)], 0.1)
    tile = fit(frame[part], _TILE_PX)
    for mask, colour in zip(shapes, (_GREEN, _YELLOW, _RED), strict=True):
        white = np.repeat(mask[part][..., None].astype(np.uint8) * 255, 3, axis=2)
        binary = (fit(white, _TILE_PX)[..., 0] > 127).astype(np.uint8)
        contours, _ = cv2.findContours(binary, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(tile, contours, -1, colour, 1, cv2.LINE_AA)
    state = f"{one.mask:.3f}" if one.acted else "not acted on" if one.found else "not found"
    return labelled(tile, f"{one.name} {state}")
