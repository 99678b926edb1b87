"""The report of a run: counts, frame rate, time of each stage, and what ran."""

from __future__ import annotations

import os
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from inpaint_model.errors import UserError
from realtime.runtime.stage_times import StageTimes

if TYPE_CHECKING:
    from realtime.frames import UnmaskResult
    from realtime.stages import FrameUnmasker

_BEGINNING = re.compile(r'\{\s*"schema_version": \d')  # of every report
_BEGINNING_CHARACTERS = 64

Outcome = Literal["unmasked", "no mask", "no face"]
"""What a run found."""


def check_report_path(path: Path | None, *used: Path, overwrite: bool = False) -> None:
    """Refuse a report that cannot be written or would replace a file, before any work is done.

    An earlier report may be replaced.

    Args:
        path: the report; None: no report is written.
        used: the inputs and outputs of the run; none of them may be the report.
        overwrite: any other file may be replaced.

    Raises:
        UserError: its folder does not exist, it is a folder or one of the files that are used, or another
            file is there.
    """
    if path is None:
        return
    if path.is_dir():
        raise UserError(f"{path}: is a folder; name the report's file")
    if not path.parent.is_dir():
        raise UserError(f"{path}: the report's folder does not exist")
    real = os.path.realpath(path)
    for other in used:
        if real == os.path.realpath(other) or (
            path.exists() and other.exists() and path.samefile(other)
        ):
            raise UserError(f"{path}: the report is the input or the output; name another file")
    if path.is_file() and not overwrite and not is_report(path):
        raise UserError(f"{path}: exists already and is no report; --overwrite replaces it")


def is_report(path: Path) -> bool:
    """Say whether a file is empty or an earlier report, by its beginning: face records make it long."""
    try:
        with path.open(encoding="utf-8") as file:
            beginning = file.read(_BEGINNING_CHARACTERS)
    except (OSError, ValueError):
        return False
    return not beginning or _BEGINNING.match(beginning) is not None


@dataclass
class Counts:
    """Running totals.

    Attributes:
        frames: frames processed.
        faces: faces found, counted once a frame.
        masked_faces: faces that were inpainted, counted once a frame.
        track_ids: the numbers of the tracks.
        left_out: the most faces left out of one frame, because there were too many.
    """

    frames: int = 0
    faces: int = 0
    masked_faces: int = 0
    track_ids: set[int] = field(default_factory=set)
    left_out: int = 0

    def add(self, result: UnmaskResult, first_track_id: int = 0) -> None:
        """Add one frame's result; `first_track_id` is added to its track ids."""
        self.frames += 1
        self.faces += len(result.faces)
        self.masked_faces += sum(face.inpainted for face in result.faces)
        self.track_ids.update(face.track_id + first_track_id for face in result.faces)
        self.left_out = max(self.left_out, result.faces_left_out)

    @property
    def outcome(self) -> Outcome:
        """What was found, as in `Report`."""
        if self.masked_faces:
            return "unmasked"
        return "no mask" if self.faces else "no face"

    def as_json(self) -> dict[str, object]:
        """Return the totals as JSON values."""
        return {**asdict(self), "track_ids": sorted(self.track_ids)}

    def merge(self, other: dict[str, Any]) -> None:
        """Add totals that `as_json` returned."""
        self.frames += other["frames"]
        self.faces += other["faces"]
        self.masked_faces += other["masked_faces"]
        self.track_ids.update(other["track_ids"])
        self.left_out = max(self.left_out, other.get("left_out", 0))


@dataclass(frozen=True)
class Report:
    """The report of a finished run.

    Attributes:
        outcome: "unmasked": a face was filled; "no mask": faces were found, and none wears a mask; or
            "no face".
        frames, faces, masked_faces: as in `Counts`.
        tracks: the number of tracks.
        fps: frames a second from the first frame read to the last one written, without start-up.
        stages: the median and the 95th percentile of each stage's time a frame, milliseconds.
        dropped_frames: frames that were not processed.
        model, model_sha256, engine, precision: the generator that ran.
        networks: the SHA-256 of every network that ran: generator, segmenter, face_landmarker.
        engine_reason: one line: which engine ran and why.
        synthetic: whether the output shows synthetic faces.
        warnings: one line each.
    """

    outcome: Outcome
    frames: int
    faces: int
    masked_faces: int
    tracks: int
    fps: float
    stages: dict[str, dict[str, float]]
    dropped_frames: int
    model: str
    model_sha256: str
    networks: dict[str, str]
    engine: str
    precision: str
    engine_reason: str
    synthetic: bool
    warnings: list[str]

    @staticmethod
    def of(
        counts: Counts,
        times: StageTimes,
        seconds: float,
        unmasker: FrameUnmasker,
        warnings: list[str],
        dropped_frames: int = 0,
        earlier_frames: int = 0,
    ) -> Report:
        """Make the report of a run of `seconds`; an earlier run did the `earlier_frames` of `counts`."""
        inpainter = unmasker.inpainter
        if counts.left_out:
            warnings = [*warnings, "small faces were left out: give a larger --max-faces"]
        return Report(
            outcome=counts.outcome,
            frames=counts.frames,
            faces=counts.faces,
            masked_faces=counts.masked_faces,
            tracks=len(counts.track_ids),
            fps=round((counts.frames - earlier_frames) / max(seconds, 1e-9), 2),
            stages=times.summary(),
            dropped_frames=dropped_frames,
            model=inpainter.model,
            model_sha256=inpainter.model_sha256,
            networks=unmasker.artefacts.as_dict(),
            engine=inpainter.engine,
            precision=inpainter.precision,
            engine_reason=inpainter.reason,
            synthetic=counts.masked_faces > 0,
            warnings=[*inpainter.warnings, *warnings],
        )
