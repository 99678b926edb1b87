"""Cold start: a fresh process for `unmask --help`, the first filled crop, and the first unmasked frame."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time

import cv2
import numpy as np
import skimage.data

from benchmarks.options import Engine, Model, Out
from benchmarks.processes import RUN_UNMASK
from benchmarks.tables import Row, publish

_REPEATS = 5
_FIRST_CROP = """
import numpy as np
from inpaint_model import open_inpainter
crops, holes = np.zeros((1, 128, 128, 3), np.uint8), np.ones((1, 128, 128), np.uint8)
with open_inpainter({model!r}, {engine!r}) as inpainter:
    inpainter(crops, holes)
"""
_FIRST_FRAME = """
import cv2
from realtime import Unmasker
frame = cv2.imread({picture!r})
with Unmasker(model={model!r}, engine={engine!r}) as unmasker:
    assert unmasker(frame).faces
"""


def run(out: Out = None, model: Model = "fast", engine: Engine = "auto") -> list[Row]:
    """Time fresh processes to the help text, to the first filled crop and to the first unmasked frame.

    The engine's cache of compiled models is warm after the first.
    """
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        picture = f"{folder}/astronaut.png"  # the photograph's own package takes long to import
        cv2.imwrite(picture, cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR))
        names = {"model": model, "engine": engine, "picture": picture}
        programs = {
            "unmask --help": (RUN_UNMASK, "--help"),
            "first crop": (_FIRST_CROP.format(**names),),
            "first frame": (_FIRST_FRAME.format(**names),),
        }
        for name, program in programs.items():
            seconds = [_seconds(program) for _ in range(_REPEATS)]
            median = float(np.median(seconds))
            rows.append({"what": name, "first s": seconds[0], "median s": median})
    return publish("cold-start", rows, out)


def _seconds(program: tuple[str, ...]) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", *program], check=True, capture_output=True)
    return time.perf_counter() - began
