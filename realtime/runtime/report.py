"""What a run did, for `--report` and the closing line: counts, speed, time of each stage."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inpaint_model.errors import UserError

if TYPE_CHECKING:
    from realtime.frames import UnmaskResult
from realtime.runtime.stage_times import StageTimes
from realtime.stages import FrameUnmasker


class NoFaceError(UserError):
    """There is nobody in the picture or video."""


def check_report_path(path: Path | None) -> None:
    """Refuse a report that cannot be written, before any work is done.

    Raises:
        UserError: its folder does not exist, or it is a folder.
    """
    if path is not None and path.is_dir():
        raise UserError(f"{path}: is a folder; name the report's file")
    if path is not None and not path.parent.is_dir():
        raise UserError(f"{path}: the report's folder does not exist")


def write_json(path: Path, figures: dict[str, Any]) -> None:
    """Write a report.

    Raises:
        UserError: it cannot be written there.
    """
    try:
        path.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: the report cannot be written ({error.strerror})") from None


@dataclass
class Counts:
    """Running totals.

    Attributes:
        frames: pictures seen.
        faces: faces found, counted once a frame.
        masked_faces: of these, the ones that were filled.
        track_ids: the different faces followed.
    """

    frames: int = 0
    faces: int = 0
    masked_faces: int = 0
    track_ids: set[int] = field(default_factory=set)

    def add(self, result: UnmaskResult, first_track_id: int = 0) -> None:
        """Take one frame's result; `first_track_id` is added to the numbers of its tracks."""
        self.frames += 1
        self.faces += len(result.faces)
        self.masked_faces += sum(face.inpainted for face in result.faces)
        self.track_ids.update(face.track_id + first_track_id for face in result.faces)

    def as_notes(self) -> dict[str, object]:
        """Return the totals as plain values, for JSON."""
        return {**asdict(self), "track_ids": sorted(self.track_ids)}

    def merge(self, notes: dict[str, Any]) -> None:
        """Add totals as `as_notes` gave them."""
        self.frames += notes["frames"]
        self.faces += notes["faces"]
        self.masked_faces += notes["masked_faces"]
        self.track_ids.update(notes["track_ids"])


@dataclass(frozen=True)
class Report:
    """A finished run.

    Attributes:
        frames, faces, masked_faces: as in `Counts`.
        tracks: different faces followed.
        fps: frames a second from the first frame read to the last one written, without start-up.
        stages: of each stage of a frame the median and the 95th percentile, milliseconds.
        dropped_frames: frames left out.
        model, model_sha256, engine, precision: what ran.
        engine_reason: one line: which engine was taken and why.
        synthetic: whether anything in the output was invented.
        warnings: one line each.
    """

    frames: int
    faces: int
    masked_faces: int
    tracks: int
    fps: float
    stages: dict[str, dict[str, float]]
    dropped_frames: int
    model: str
    model_sha256: str
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
        """Sum up a run of `seconds`, which did not do the `earlier_frames` of `counts`."""
        inpainter = unmasker.inpainter
        return Report(
            frames=counts.frames,
            faces=counts.faces,
            masked_faces=counts.masked_faces,
            tracks=len(counts.track_ids),
            fps=round((counts.frames - earlier_frames) / max(seconds, 1e-9), 2),
            stages=times.summary(),
            dropped_frames=dropped_frames,
            model=inpainter.model,
            model_sha256=inpainter.model_sha256,
            engine=inpainter.engine,
            precision=inpainter.precision,
            engine_reason=inpainter.reason,
            synthetic=counts.masked_faces > 0,
            warnings=[*inpainter.warnings, *warnings],
        )

    def write(self, path: Path) -> None:
        """Write as JSON.

        Raises:
            UserError: it cannot be written there.
        """
        write_json(path, asdict(self))
