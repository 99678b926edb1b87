"""How exact the five points of a face are under a mask, and the crop that is aligned to them.

The truth is what the landmark network finds on the bare photograph. The same photograph then wears a
rendered mask, and the product finds the points again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

import cv2
import numpy as np
import typer
from numpy.typing import NDArray
from rich.progress import track

from benchmarks.finding.faces import TestFace, load_faces
from benchmarks.finding.matching import FOUND_SHIFT
from benchmarks.finding.options import FindOptions
from benchmarks.finding.placing import still
from benchmarks.options import Engine, Model, Out, Seed
from benchmarks.tables import Row, publish
from realtime import Unmasker
from realtime.align.affine import apply, invert
from realtime.detect.face_finder import FaceFinder
from realtime.feed.aligned_crop import ARCFACE_TEMPLATE, fit_similarity, template_matrix
from realtime.feed.crop_quality import yaw_deg
from realtime.feed.masked_points import MaskedPoints
from realtime.unmasker import Mode

Points = NDArray[np.float64]
"""Five keypoints, float64 [5, 2], pixels."""

_YAWS_DEG = {"yaw below 15": (0, 15), "yaw 15 to 30": (15, 30), "yaw 30 and more": (30, 180)}
_STREAM_FRAMES = 12
_SMALL_PX = 48.0  # width of a small face, pixels of the frame
_SIDES_SWAPPED = [1, 0, 2, 4, 3]
_SHIFT_PX = 3.5, -2.5  # of the shifted photograph
_NO_INTERVAL = "–"


@dataclass(frozen=True, eq=False)
class Seen:
    """What the product says of a masked face.

    Attributes:
        points: its keypoints, as the feed gives them; None where the face is not found.
        by_landmarks: those that the landmark network gives of the masked face; None where it refuses it.
    """

    points: Points | None = None
    by_landmarks: Points | None = None


@dataclass(frozen=True, eq=False)
class Case:
    """One face with its true points and those that are compared with them.

    Attributes:
        face: the face, which the groups of a table are made by.
        truth: the true points.
        points: the found points; None where the face is not found.
    """

    face: TestFace
    truth: Points
    points: Points | None


def run(
    faces: Annotated[
        Path | None, typer.Option(help="Folder of bare faces; its val split is used.")
    ] = None,
    manifest: Annotated[Path | None, typer.Option(help="CSV path,source,split,identity.")] = None,
    count: Annotated[int, typer.Option(min=1, help="So many photographs.")] = 150,
    seed: Seed = 0,
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
) -> list[Row]:
    """Measure the five points of masked faces against the points of the bare photographs."""
    options = FindOptions(
        faces, manifest, count=count, seed=seed, out=out, model=model, engine=engine
    )
    group = load_faces(options, count)
    cases = dict(_conditions(options, group))
    publish("recognition-yaw", [_yaw_row(name, some) for name, some in cases.items()], out)
    rows = [_row(name, some, seed) for name, some in cases.items()]
    return publish("recognition-points", rows, out)


def _conditions(
    options: FindOptions, group: Sequence[TestFace]
) -> Iterator[tuple[str, list[Case]]]:
    """Yield the rows' names and cases: masked faces in several ways, and how exact the truth itself is."""
    with Look(options, "image") as look:
        seen = [look(face, face.masked_bgr) for face in track(group, "pictures")]
        pictures = [_case(face, one.points) for face, one in zip(group, seen, strict=True)]
        yield "masked pictures", pictures
        yield from _groups(pictures)
        raw = [_case(face, one.by_landmarks) for face, one in zip(group, seen, strict=True)]
        yield "masked, landmarks of the masked face", raw
        yield (
            "bare",
            [_case(face, look(face, face.bare_bgr).points) for face in track(group, "bare")],
        )
        small = [_small(look, face) for face in track(group, "small")]
        yield f"masked, {_SMALL_PX:.0f} px wide", small
    with Look(options, "video") as look:
        streams = [_case(face, look.stream(face).points) for face in track(group, "streams")]
        yield f"masked streams, frame {_STREAM_FRAMES}", streams
    with FaceFinder() as finder:
        for name, move in _MOVES.items():
            yield name, [_moved_truth(finder, face, move) for face in group]


def _groups(cases: Sequence[Case]) -> Iterator[tuple[str, list[Case]]]:
    """Yield those of a yaw, and those in one kind of mask."""
    for name, (least, most) in _YAWS_DEG.items():
        yield name, [case for case in cases if least <= abs(case.face.yaw_deg) < most]
    for kind in sorted({case.face.kind for case in cases}):
        yield kind, [case for case in cases if case.face.kind == kind]


class Look:
    """Shows faces to the product and takes their points.

    Args:
        options: of the benchmark.
        mode: of the unmasker.
    """

    def __init__(self, options: FindOptions, mode: Mode) -> None:
        self._unmasker = Unmasker(options.model, options.engine, options.max_faces, mode=mode)
        self._points = MaskedPoints()

    def __call__(
        self,
        face: TestFace,
        frame_bgr: NDArray[np.uint8],
        time_s: float | None = None,
        scale: float = 1.0,
    ) -> Seen:
        """Show a frame; take the face whose eyes are near the true ones.

        Args:
            face: the face.
            frame_bgr: uint8 [H, W, 3], BGR, its photograph.
            time_s: when the frame is shown, seconds; None for pictures.
            scale: by which the photograph was resized.
        """
        tracked = self._unmasker.detect_and_track(frame_bgr, time_s)
        segmented = self._unmasker.segment(tracked)
        result = self._unmasker.composite(self._unmasker.inpaint(segmented))
        near = [one for one in result.faces if _is_near(one.keypoints, face, scale)]
        if not near:
            return Seen()
        found = near[0]
        points = self._points(result.frame, found, found.track_id, time_s)
        (given,) = (one.face for one in tracked.faces if one.track_id == found.track_id)
        return Seen(points, None if given.landmarks is None else given.keypoints)

    def stream(self, face: TestFace) -> Seen:
        """Show the masked photograph as a stream of equal frames; what is seen in the last one."""
        self._unmasker.reset()
        *_, last = (self(face, *frame) for frame in still(face.masked_bgr, _STREAM_FRAMES))
        return last

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._unmasker.close()
        self._points.close()


def _case(face: TestFace, points: Points | None) -> Case:
    return Case(face, face.keypoints, points)


def _small(look: Look, face: TestFace) -> Case:
    """Shrink the photograph, so that the face is small."""
    height, width = face.masked_bgr.shape[:2]
    size = [max(round(side * min(_SMALL_PX / face.width, 1.0)), 1) for side in (width, height)]
    frame = cv2.resize(face.masked_bgr, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    scale = size[0] / width
    truth = (face.keypoints + 0.5) * (scale, size[1] / height) - 0.5
    return Case(face, truth, look(face, frame, scale=scale).points)


def _mirrored(picture: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], Callable[[Points], Points]]:
    last = picture.shape[1] - 1
    mirrored = np.ascontiguousarray(picture[:, ::-1])
    return mirrored, lambda points: np.array([last, 0] + points[_SIDES_SWAPPED] * [-1, 1])


def _shifted(picture: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], Callable[[Points], Points]]:
    matrix = np.column_stack([np.eye(2), _SHIFT_PX])
    height, width = picture.shape[:2]
    moved = cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.uint8), lambda points: points - _SHIFT_PX


_MOVES = {"truth, mirrored photograph": _mirrored, "truth, shifted photograph": _shifted}


def _moved_truth(
    finder: FaceFinder,
    face: TestFace,
    move: Callable[[NDArray[np.uint8]], tuple[NDArray[np.uint8], Callable[[Points], Points]]],
) -> Case:
    """Find the true points again on a moved photograph: how far they are off is the noise of the truth."""
    picture, back = move(face.bare_bgr)
    found = finder.portrait(np.ascontiguousarray(picture[:, :, ::-1]))
    points = None if found is None else back(found.keypoints)
    if points is not None and not _is_near(points, face, 1.0):  # another face of the photograph
        points = None
    return _case(face, points)


def _is_near(points: Points, face: TestFace, scale: float) -> bool:
    """Whether the eyes are those of the face, by their place in its photograph, resized by a scale."""
    away_px = np.hypot(*(points[:2].mean(0) - face.eyes.mean(0) * scale))
    return bool(away_px <= FOUND_SHIFT * face.width * scale)


def _row(name: str, cases: Sequence[Case], seed: int) -> Row:
    from trainer.evaluate.bootstrap import mean_interval

    found = [(case.truth, case.points) for case in cases if case.points is not None]
    row: dict[str, str | float | int] = {"points": name, "faces": len(cases), "found": len(found)}
    errors = np.array([_errors(*pair) for pair in found]).reshape(-1, 5)
    parts = {"eyes": errors[:, :2], "nose": errors[:, 2:3], "mouth": errors[:, 3:]}
    row |= {part: _mean(values) for part, values in parts.items()}
    each = errors.mean(1)
    row["all five"] = mean_interval(each, seed).text(3) if found else _NO_INTERVAL
    row["p95"] = float(np.percentile(each, 95)) if found else np.nan
    crops = np.array([crop_error_px(*pair) for pair in found])
    row["crop px"] = mean_interval(crops, seed).text(2) if found else _NO_INTERVAL
    row["crop px p95"] = float(np.percentile(crops, 95)) if found else np.nan
    row["by eyes alone px"] = _mean(np.array([crop_error_px(*pair, 2) for pair in found]))
    return row


def _errors(truth: Points, points: Points) -> NDArray[np.float64]:
    """How far each point is off the true one, float64 [5], as a share of the distance between the eyes."""
    return np.hypot(*(points - truth).T) / np.hypot(*(truth[1] - truth[0]))


def crop_error_px(truth: Points, points: Points, of_them: int = 5) -> float:
    """How far the aligned crop is off the one by the true points.

    Args:
        truth: the true points.
        points: the found ones.
        of_them: fit the template to the first so many of the found points alone.

    Returns:
        The mean distance, over the template's five points, of where both crops show the same pixel of the
        frame; pixels of the 112x112 crop.
    """
    true_places = apply(invert(template_matrix(truth)), ARCFACE_TEMPLATE)
    to_crop = fit_similarity(points[:of_them], ARCFACE_TEMPLATE[:of_them])
    return float(np.hypot(*(apply(to_crop, true_places) - ARCFACE_TEMPLATE).T).mean())


def _yaw_row(name: str, cases: Sequence[Case]) -> Row:
    """How far the yaw by five points is off that of the face mesh of the bare photograph, degrees."""
    pairs = [(yaw_deg(c.points), c.face.yaw_deg) for c in cases if c.points is not None]
    found, true = np.array(pairs).reshape(-1, 2).T
    off = found - true
    return {
        "points": name,
        "faces": len(pairs),
        "mean absolute error, degrees": _mean(np.abs(off)),
        "mean error, degrees": _mean(off),
    }


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if values.size else np.nan
