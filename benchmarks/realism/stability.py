"""Stability over time with and without smoothing: flicker, jitter, reaction times, blinks, lost ids."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Annotated

import cv2
import numpy as np
import typer
from numpy.typing import NDArray

from benchmarks.clips import clips_in
from benchmarks.options import Clips, Engine, Model, Out
from benchmarks.realism.scenes import Scene, make_scene, with_hidden_face, with_passing_hand
from benchmarks.tables import Row, publish
from inpaint_model.errors import UserError
from realtime import Unmasker
from realtime.align.affine import apply, invert
from realtime.align.canonical_crop import CROP_SIZE
from realtime.synthetic import preset_style
from realtime.synthetic.style import Kind

_MOUTH = np.array([[64.0, 92.0]])  # its middle in the crop, pixels
STATES = {"on": True, "off": False}  # smoothing over time
_KINDS: tuple[Kind, ...] = ("surgical", "cloth", "n95", "kn95")
_ON_OFF_S = 0.8  # the mask is worn for so long, then off for so long


@dataclass
class Results:
    """What an unmasker made of some frames.

    Attributes:
        frames: the results, uint8 [H, W, 3] BGR.
        replaced: the replaced pixels, uint8 [H, W] each.
        inpainted: whether a face was filled, frame by frame.
        track_ids: the face's track id; -1 where no face was found.
        mouths: float64 [2], where the smoothed transform puts the middle of the mouth, pixels.
    """

    frames: list[NDArray[np.uint8]] = field(default_factory=list)
    replaced: list[NDArray[np.uint8]] = field(default_factory=list)
    inpainted: list[bool] = field(default_factory=list)
    track_ids: list[int] = field(default_factory=list)
    mouths: list[NDArray[np.float64]] = field(default_factory=list)


def run(
    clips: Clips,
    frames: Annotated[int, typer.Option(min=20, help="First frames of each clip.")] = 150,
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
) -> list[Row]:
    """Measure flicker, jitter, reaction to masks and lost ids, with smoothing and without."""
    scenes = []
    for number, video in enumerate(clips_in(clips)):
        try:
            scenes.append(make_scene(video, preset_style(_KINDS[number % len(_KINDS)]), frames))
        except UserError as error:
            print(f"left out: {error}")
    if not scenes:
        raise UserError("no clips to measure on")
    rows: list[Row] = []
    for state, smoothing in STATES.items():
        with Unmasker(model, engine, 1, smoothing=smoothing) as unmasker:
            rows += [_measure(scene, unmasker, state) for scene in scenes]
    rows += [_mean([row for row in rows if row["smoothing"] == state]) for state in STATES]
    return publish("stability", rows, out)


def _measure(scene: Scene, unmasker: Unmasker, state: str) -> Row:
    steady = _unmask(unmasker, scene.masked, scene.fps)
    reactions_ms, missed = _reactions(scene, unmasker)
    hand = _unmask(unmasker, with_passing_hand(scene), scene.fps)
    hidden = _unmask(unmasker, with_hidden_face(scene), scene.fps)
    return {
        "clip": scene.name,
        "smoothing": state,
        "frames": len(scene.masked),
        "flicker, of the truth's": flicker(scene, steady),
        "jitter, px": jitter(steady.mouths),
        "on/off, median ms": float(np.median(reactions_ms)) if reactions_ms else float("nan"),
        "on/off, longest ms": float(max(reactions_ms, default=float("nan"))),
        "changes missed": missed,
        "blinks, steady": blinks(steady.inpainted),
        "blinks, hand": blinks(hand.inpainted),
        "number kept": float(hidden.track_ids[-1] == hidden.track_ids[0] >= 0),
    }


def _mean(rows: list[Row]) -> Row:
    """The mean over clips; of the longest reaction the maximum."""
    mean: dict[str, str | float | int] = {**rows[0], "clip": "all"}
    for name, value in rows[0].items():
        if isinstance(value, int | float):
            values = [float(row[name]) for row in rows]
            mean[name] = float(np.nanmax(values) if "longest" in name else np.nanmean(values))
    return mean


def _unmask(unmasker: Unmasker, frames: Iterable[NDArray[np.uint8]], fps: float) -> Results:
    unmasker.reset()
    done = Results()
    for number, frame in enumerate(frames):
        inpainted = unmasker.inpaint(
            unmasker.segment(unmasker.detect_and_track(frame, number / fps))
        )
        result = unmasker.composite(inpainted)
        done.frames.append(result.frame)
        done.replaced.append(result.replaced)
        done.inpainted.append(any(face.inpainted for face in result.faces))
        done.track_ids.append(result.faces[0].track_id if result.faces else -1)
        tracked = inpainted.segmented.tracked.faces
        if tracked:
            done.mouths.append(apply(invert(tracked[0].matrix), _MOUTH)[0])
    return done


def flicker(scene: Scene, done: Results) -> float:
    """Mean change between successive frames inside the hole, in crop space, over that of the bare clip."""
    results = [_crop(f, m) for f, m in zip(done.frames, scene.matrices, strict=True)]
    truths = [_crop(f, m) for f, m in zip(scene.bare, scene.matrices, strict=True)]
    holes = [_crop(f, m) > 127 for f, m in zip(done.replaced, scene.matrices, strict=True)]
    shown = wanted = 0.0
    for now in range(1, len(results)):
        inside = holes[now] & holes[now - 1]
        shown += float(np.abs(results[now] - results[now - 1])[inside].sum())
        wanted += float(np.abs(truths[now] - truths[now - 1])[inside].sum())
    return shown / wanted if wanted else float("nan")


def _crop(image: NDArray[np.uint8], matrix: NDArray[np.float64]) -> NDArray[np.float32]:
    """float32 [128, 128] or [128, 128, 3]."""
    return cv2.warpAffine(image, matrix, (CROP_SIZE, CROP_SIZE)).astype(np.float32)


def jitter(mouths: list[NDArray[np.float64]]) -> float:
    """Root mean square of the acceleration, pixels a frame squared: it is 0 for steady motion."""
    changes = np.diff(np.array(mouths), n=2, axis=0)
    return float(np.sqrt((changes**2).sum(axis=1).mean()))


def blinks(inpainted: list[bool]) -> int:
    """Count how often a frame without a fill follows one with a fill."""
    return sum(before and not now for before, now in pairwise(inpainted))


def _reactions(scene: Scene, unmasker: Unmasker) -> tuple[list[float], int]:
    """Put the mask on and take it off in turn.

    Returns:
        Milliseconds from each change to the first frame that shows it, and how many are never shown.
    """
    phase = max(round(_ON_OFF_S * scene.fps), 2)
    worn = [(number // phase) % 2 == 0 for number in range(len(scene.bare))]
    pairs = zip(worn, scene.masked, scene.bare, strict=True)
    done = _unmask(unmasker, [masked if on else bare for on, masked, bare in pairs], scene.fps)
    reactions, missed = [], 0
    for start in range(phase, len(worn) - phase + 1, phase):
        wanted = worn[start]
        following = done.inpainted[start : start + phase]
        if wanted in following:
            reactions.append(following.index(wanted) / scene.fps * 1e3)
        else:
            missed += 1
    return reactions, missed
