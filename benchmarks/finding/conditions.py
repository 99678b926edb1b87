"""Faces of one size in other light, out of focus, and by how far the head is turned."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from rich.progress import track

from benchmarks.finding.faces import load_group
from benchmarks.finding.options import FindOptions
from benchmarks.finding.outcome import FaceOutcomes, columns, open_look
from benchmarks.finding.placing import Frame, background, placement, random_middle
from benchmarks.tables import Row, publish

_SIZE, _WIDTH_PX = (1280, 720), 128  # of the frame and of the face, pixels
_FACES = 24
_NOISE = 5.0  # standard deviation of the noise of dark frames, levels of 0..255
_LEAST_LIGHT = 0.15  # at the dark side of a frame that is lit from the other side
_DEFOCUS_PX, _JPEG_QUALITY = 4.0, 15
_YAWS_DEG = {"yaw below 15": (0, 15), "yaw 15 to 30": (15, 30), "yaw 30 and more": (30, 180)}
_PLAIN = "as photographed"


def run(options: FindOptions) -> list[Row]:
    """Count faces 128 px wide found and filled by light and focus, then by yaw."""
    group = load_group(options, options.count or _FACES)
    rng = np.random.default_rng([options.seed, 3])
    middles = [random_middle(rng, _SIZE, _WIDTH_PX) for _ in group]
    done: dict[str, list[FaceOutcomes]] = {}
    with open_look(options) as look:
        for name, change in track(CONDITIONS.items(), "conditions"):
            done[name] = [
                look(background(number, _SIZE), face, placement(face, middle, _WIDTH_PX), change)
                for number, (face, middle) in enumerate(zip(group, middles, strict=True))
            ]
    done |= by_yaw([face.yaw_deg for face in group], done[_PLAIN])
    rows: list[Row] = [{"condition": name, **columns(every)} for name, every in done.items()]
    return publish("find-conditions", rows, options.out)


def by_yaw(
    yaws_deg: Sequence[float], every: Sequence[FaceOutcomes]
) -> dict[str, list[FaceOutcomes]]:
    """Sort the outcomes of faces by the yaw of their heads to either side."""
    pairs = list(zip(yaws_deg, every, strict=True))
    return {
        name: [one for yaw_deg, one in pairs if least <= abs(yaw_deg) < most]
        for name, (least, most) in _YAWS_DEG.items()
    }


def _brighter(gain: float) -> Callable[[Frame], Frame]:
    """Multiply the levels; a dark frame gets noise."""

    def change(frame: Frame) -> Frame:
        noise = np.random.default_rng(0).normal(0, _NOISE if gain < 1 else 0, frame.shape)
        return np.clip(frame * gain + noise, 0, 255).astype(np.uint8)

    return change


def _from_one_side(frame: Frame) -> Frame:
    light = np.linspace(1, _LEAST_LIGHT, frame.shape[1])[None, :, None]
    return (frame * light).astype(np.uint8)


def _grey(frame: Frame) -> Frame:
    return np.ascontiguousarray(np.dstack([cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)] * 3))


def _defocused(frame: Frame) -> Frame:
    return np.asarray(cv2.GaussianBlur(frame, (0, 0), _DEFOCUS_PX), dtype=np.uint8)


def _compressed(frame: Frame) -> Frame:
    _, coded = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), dtype=np.uint8)


CONDITIONS: dict[str, Callable[[Frame], Frame] | None] = {
    _PLAIN: None,
    "a quarter of the light": _brighter(0.25),
    "a tenth of the light": _brighter(0.1),
    "twice the light": _brighter(2.0),
    "light from one side": _from_one_side,
    "grey": _grey,
    "out of focus": _defocused,
    "JPEG of quality 15": _compressed,
}
