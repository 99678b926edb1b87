"""Fills holes in canonical crops with one model on one engine: `open_inpainter` gives an `Inpainter`."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from inpaint_model.artefacts import find_generator
from inpaint_model.engines.base import Session
from inpaint_model.engines.opening import open_session
from inpaint_model.errors import ClosedError, InputError, UserError

CROP_SHAPE = (128, 128, 3)
HOLE_SHAPE = (128, 128)


class Inpainter:
    """Fills holes in canonical face crops. Any thread may call it. `open_inpainter` creates one.

    Args:
        model: the model's name.
        session: the loaded network.
        reason: which engine was taken and why, in one line.
    """

    def __init__(self, model: str, session: Session, reason: str) -> None:
        self._model = model
        self._session: Session | None = session
        self._info = session.info
        self._reason = reason
        self._lock = threading.Lock()

    def __call__(
        self, crops: NDArray[np.uint8], holes: NDArray[np.uint8] | NDArray[np.bool_]
    ) -> NDArray[np.uint8]:
        """Fill the holes.

        Args:
            crops: uint8 [N, 128, 128, 3], RGB; any N >= 0; not changed.
            holes: uint8 or bool [N, 128, 128], nonzero where to fill. The model "fast" draws a sharper
                jaw where `inpaint_model.holes.mark_beside_face` has marked what lies beside the face.

        Returns:
            A new uint8 [N, 128, 128, 3], RGB; outside the holes equal to `crops`.

        Raises:
            InputError: an array has another shape or type; it is a `UserError` and a `ValueError`.
            ClosedError: the inpainter is closed; it is a `UserError` and a `RuntimeError`.
        """
        _check_arrays(crops, holes)
        with self._lock:
            if self._session is None:
                raise ClosedError("the inpainter is closed; open another one")
            if len(crops) == 0:
                return np.empty_like(crops)
            return self._session.run(
                np.ascontiguousarray(crops), np.ascontiguousarray(holes).view(np.uint8)
            )

    @property
    def model(self) -> str:
        """The model's name."""
        return self._model

    @property
    def model_sha256(self) -> str:
        """SHA-256, in hex, of the model file that runs."""
        return self._info.model_sha256

    @property
    def engine(self) -> str:
        """The name of the engine that runs the model."""
        return self._info.engine

    @property
    def precision(self) -> str:
        """The arithmetic of most of the network: "int8", "bf16", "fp16" or "fp32"."""
        return self._info.precision

    @property
    def reason(self) -> str:
        """Which engine was taken and why, in one line."""
        return self._reason

    @property
    def warnings(self) -> tuple[str, ...]:
        """Problems on opening that cost time and stop nothing, one line each."""
        return self._info.warnings

    def close(self) -> None:
        """Free the network. Closing twice is harmless."""
        with self._lock:
            if self._session is not None:
                self._session.close()
                self._session = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_inpainter(
    model: str | Path = "fast", engine: str = "auto", *, threads: int | None = None
) -> Inpainter:
    """Open a model on an engine.

    Args:
        model: "fast", "paper", or the path of an ONNX generator of the same interface.
        engine: "auto" takes the fastest that works; a named one runs or is an error.
        threads: number of CPU threads; the engine decides if None.

    Returns:
        The inpainter, warmed up: the first call takes no longer than the next.

    Raises:
        UserError: the model or the engine is unknown or cannot run here.
    """
    if threads is not None and (not isinstance(threads, int | np.integer) or threads < 1):
        raise UserError(f"threads must be a whole number of at least 1, not {threads!r}")
    generator = find_generator(model)
    session, reason = open_session(generator, engine, threads)
    return Inpainter(generator.name, session, reason)


def _check_arrays(crops: NDArray[np.generic], holes: NDArray[np.generic]) -> None:
    for name, array in (("crops", crops), ("holes", holes)):
        if not isinstance(array, np.ndarray):
            raise InputError(f"{name} must be a numpy array, not {type(array).__name__}")
    if crops.dtype != np.uint8 or crops.ndim != 4 or crops.shape[1:] != CROP_SHAPE:
        raise InputError(
            f"crops must be uint8 [N, 128, 128, 3], not {crops.dtype} {list(crops.shape)}"
        )
    if holes.dtype not in (np.uint8, np.bool_) or holes.shape != (len(crops), *HOLE_SHAPE):
        raise InputError(
            f"holes must be uint8 or bool [{len(crops)}, 128, 128], "
            f"not {holes.dtype} {list(holes.shape)}"
        )
