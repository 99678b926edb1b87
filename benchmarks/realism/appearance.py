"""What each appearance step gives: seam, sharpness, flicker and colour without it, and its time."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from numpy.typing import NDArray

from benchmarks.clips import clips_in, masked_frames
from benchmarks.options import CLIPS_HELP, PHOTOS_HELP, Engine, Limit, Model, Out
from benchmarks.photographs.lists import pictures_in, read_pictures
from benchmarks.realism.measures import FilledCrop, seam, sharpness, temporal_change
from benchmarks.realism.realism import unmask_largest
from benchmarks.tables import Row, publish
from inpaint_model.errors import UserError
from realtime import Unmasker
from realtime.align.warp_crop import warp_crop
from realtime.appearance import COMPOSITE_STEPS, FRAME_STEPS, INPAINT_STEPS, STEP_NAMES
from realtime.frames import InpaintedFace
from realtime.inpaint.appearance import FillStep, FrameStep
from realtime.synthetic import Kind, preset_style

_KINDS: tuple[Kind, ...] = ("surgical", "cloth", "n95", "kn95")
_SKIPPED, _MEASURED = 10, 16  # frames of a clip: the first ones are left out
_TIMED = 5  # runs of each step on a face; the median counts
Frame = NDArray[np.uint8]


@dataclass
class _Measured:
    """The measures of one way of making fills, a value a frame."""

    of: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, value: float | None) -> None:
        if value is not None and np.isfinite(value):
            self.of.setdefault(name, []).append(value)

    def row(self) -> dict[str, float]:
        return {name: float(np.mean(values)) for name, values in self.of.items()}


def run(
    clips: Annotated[list[Path] | None, typer.Option(help=CLIPS_HELP)] = None,
    photos: Annotated[list[Path] | None, typer.Option(help=PHOTOS_HELP)] = None,
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
    limit: Limit = 0,
) -> list[Row]:
    """Leave each appearance step out in turn: seam, sharpness, flicker, colour error and milliseconds.

    Clips of bare faces wear a rendered mask, so the truth is known; photographs of masked people have none.
    """
    if not clips and not photos:
        raise UserError("nothing to measure: give clips or photographs")
    rows: list[Row] = []
    if clips:
        videos = clips_in(clips)
        ms = _step_times(videos[0], model, engine)
        every = [_clip_row(videos, left_out, model, engine) for left_out in ("", *STEP_NAMES)]
        rows += publish(
            "appearance", [{**row, "ms": ms[str(row["without"])]} for row in every], out
        )
    if photos:
        paths = pictures_in(photos, limit)
        rows += publish(
            "appearance-photos",
            [_photo_row(paths, left_out, model, engine) for left_out in ("", *STEP_NAMES)],
            out,
        )
    return rows


def _clip_row(videos: Sequence[Path], left_out: str, model: str, engine: str) -> Row:
    """The means over all frames of all clips, without one step."""
    measured = _Measured()
    for number, video in enumerate(videos):
        with Unmasker(model, engine, 1, without_steps=[left_out] if left_out else []) as unmasker:
            kept = list(_filled_frames(video, _KINDS[number % len(_KINDS)], unmasker))
        for shown, bare, crop in kept:
            _measure_against_truth(measured, shown, bare, crop)
        for (one, bare, before), (two, two_bare, now) in pairwise(kept):
            result = temporal_change(before, one, now, two)
            truth = temporal_change(before, bare, now, two_bare)
            measured.add("flicker / truth", result / truth if result and truth else None)
    if not measured.of:
        raise UserError("no face was filled in the clips")
    return {"without": left_out or "nothing", **measured.row()}


def _filled_frames(
    video: Path, kind: Kind, unmasker: Unmasker
) -> Iterator[tuple[Frame, Frame, FilledCrop]]:
    """Result, truth and filled crop of the frames that count."""
    frames = (f for f in masked_frames(video, preset_style(kind)) if f.landmarks is not None)
    for index, frame in enumerate(islice(frames, _SKIPPED + _MEASURED)):
        done = unmask_largest(frame.masked_bgr, unmasker)
        if index >= _SKIPPED and done is not None:
            yield done[0], frame.bare_bgr, done[1]


def _measure_against_truth(
    measured: _Measured, shown: Frame, bare: Frame, crop: FilledCrop
) -> None:
    result, truth = (warp_crop(frame, crop.matrix)[0] for frame in (shown, bare))
    hole = crop.hole & crop.valid
    error = np.square(result[hole].astype(np.float32) - truth[hole]).mean()
    measured.add("hole dB", float(10 * np.log10(255**2 / max(float(error), 1e-3))))
    chroma = [
        cv2.cvtColor(one, cv2.COLOR_BGR2YCrCb)[..., 1:].astype(int) for one in (result, truth)
    ]
    measured.add("colour error, levels", float(np.abs(chroma[0] - chroma[1])[hole].mean()))
    steps = seam(crop, shown), seam(crop, bare)
    measured.add("seam / truth", steps[0] / steps[1] if steps[0] and steps[1] else None)
    sharp = sharpness(crop, shown), sharpness(crop, bare)
    if sharp[0] is not None and sharp[1] is not None:
        measured.add("sharpness / truth", sharp[0].of_medians / sharp[1].of_medians)


def _photo_row(paths: list[Path], left_out: str, model: str, engine: str) -> Row:
    """The means over all photographs in which a face was filled, without one step."""
    measured = _Measured()
    with Unmasker(
        model, engine, 8, mode="image", without_steps=[left_out] if left_out else []
    ) as unmasker:
        for _, frame in read_pictures(paths, f"without {left_out or 'nothing'}"):
            done = None if frame is None else unmask_largest(frame, unmasker)
            if done is None:
                continue
            measured.add("seam", seam(done[1], done[0]))
            sharp = sharpness(done[1], done[0])
            measured.add("sharpness", None if sharp is None else sharp.of_medians)
    if not measured.of:
        raise UserError("no face was filled in the photographs")
    return {"without": left_out or "nothing", **measured.row()}


def _step_times(video: Path, model: str, engine: str) -> dict[str, float]:
    """The median time of each step on the faces of a clip, milliseconds; of all in "nothing"."""
    faces: list[tuple[InpaintedFace, NDArray[np.uint8]]] = []
    with Unmasker(model, engine, 1) as unmasker:
        for frame in islice(masked_frames(video, preset_style("surgical")), _SKIPPED):
            segmented = unmasker.segment(unmasker.detect_and_track(frame.masked_bgr))
            filled = (f for f in unmasker.inpaint(segmented).faces if f.fill is not None)
            faces += [(face, frame.masked_bgr) for face in filled]
    kinds = (*INPAINT_STEPS, *COMPOSITE_STEPS, *FRAME_STEPS)
    times = {kind.name: _median_ms(kind(), faces) for kind in kinds}
    return {"nothing": sum(times.values()), **times}


def _median_ms(
    step: FillStep | FrameStep, faces: Iterable[tuple[InpaintedFace, NDArray[np.uint8]]]
) -> float:
    took = []
    for face, frame_bgr in faces:
        step.reset()
        _take(step, face, frame_bgr)  # now it remembers this face, as in a stream
        for _ in range(_TIMED):
            began = time.perf_counter()
            _take(step, face, frame_bgr)
            took.append((time.perf_counter() - began) * 1e3)
    return float(np.median(took)) if took else float("nan")


def _take(step: FillStep | FrameStep, face: InpaintedFace, frame_bgr: NDArray[np.uint8]) -> None:
    fill, filled = face.fill, face.filled
    assert fill is not None
    assert filled is not None
    if isinstance(step, FrameStep):
        step(fill, filled, frame_bgr, face.segmented.matrix)
    else:
        step(fill, filled)
