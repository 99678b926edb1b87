"""Real footage: marked faces filled, and how steadily each masked face stays filled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

from rich.progress import track

from benchmarks.finding.matching import inside
from benchmarks.finding.options import FindOptions
from benchmarks.finding.streams import Marks, VideoRun, masked_videos, run_video
from benchmarks.tables import Row, publish

LEAST_PX = 32  # longer side of the marked boxes that count
_FIRST_S = 0.5  # a face may take so long to be found
_MOST_GAP_S = 1.0  # a face that is reported again after a longer gap was out of view


@dataclass(frozen=True)
class MarkedFace:
    """A marked face: whether a face was reported in its box, and filled."""

    video: str
    frame: int
    box: tuple[float, float, float, float]
    found: bool
    filled: bool


@dataclass(frozen=True)
class TrackRecord:
    """One masked face over time.

    Attributes:
        video: its video.
        track_id: its number.
        frames: in view after its first half second. A frame between two reports of the face counts, unless
            the gap is longer than a second.
        filled: of these.
        frames_on: in view after the first fill, the first half second included.
        filled_on: of these.
        switches: from filled to not filled or back.
        seconds: from its first half second to its last frame.
    """

    video: str
    track_id: int
    frames: int
    filled: int
    frames_on: int
    filled_on: int
    switches: int
    seconds: float


def run(options: FindOptions) -> list[Row]:
    """Run the videos as `unmask video` does; count marked faces filled, and fills by track.

    "most replaced" is the largest share of a frame's pixels: a false face may be large.
    """
    marked: list[MarkedFace] = []
    tracks: list[TrackRecord] = []
    rows = []
    with options.folder_for_videos() as folder:
        videos = masked_videos(options, folder)
        with options.unmasker("video") as unmasker:
            for path, marks in track(videos.items(), "real footage"):
                one = run_video(path, folder / f"real-{path.stem}.mp4", unmasker, marks)
                faces = marked_faces(one, marks)
                records = track_records(one, marks)
                marked, tracks = marked + faces, tracks + records
                rows.append(_row(path.stem, [one], faces, records))
    every = [asdict(value) for value in marked]
    details = {"marked": every, "tracks": [asdict(value) for value in tracks]}
    return publish("find-real", [*rows, _total(rows, marked, tracks)], options.out, details)


def marked_faces(one: VideoRun, marks: Marks) -> list[MarkedFace]:
    """Look for each marked face of `LEAST_PX` and more.

    It is found where the middle between a reported face's eyes lies inside the box, and filled where that
    face is and pixels inside the box were replaced.
    """
    faces = []
    for number, boxes in marks.items():
        result, seen = one.kept.get(number), one.faces[number] if number < len(one.faces) else []
        for box in boxes:
            x0, y0, x1, y1 = (max(0, round(value)) for value in box)
            if max(x1 - x0, y1 - y0) < LEAST_PX:
                continue
            here = [face for face in seen if inside(face.middle, box)]
            replaced = result is not None and bool(result.replaced[y0:y1, x0:x1].any())
            filled = replaced and any(face.filled for face in here)
            faces.append(MarkedFace(one.path.stem, number, box, bool(here), filled))
    return faces


def track_records(one: VideoRun, marks: Marks) -> list[TrackRecord]:
    """Follow each masked face: one that was filled once, or whose eyes were in a marked box."""
    states: dict[int, dict[int, bool]] = {}
    masked = set()
    for number, faces in enumerate(one.faces):
        for face in faces:
            states.setdefault(face.track_id, {})[number] = face.filled
            if face.filled or any(inside(face.middle, box) for box in marks.get(number, [])):
                masked.add(face.track_id)
    records = [_record(one, track_id, states[track_id]) for track_id in sorted(masked)]
    return [record for record in records if record.frames]


def _record(one: VideoRun, track_id: int, states: dict[int, bool]) -> TrackRecord:
    in_view = _with_gaps(states, round(_MOST_GAP_S * one.fps))
    begin = min(in_view) + round(_FIRST_S * one.fps)
    first_fill = next((number for number, filled in in_view.items() if filled), max(in_view) + 1)
    late = [filled for number, filled in in_view.items() if number >= begin]
    on = [filled for number, filled in in_view.items() if number >= first_fill]
    return TrackRecord(
        one.path.stem,
        track_id,
        len(late),
        sum(late),
        len(on),
        sum(on),
        sum(before != now for before, now in pairwise(late)),
        len(late) / one.fps,
    )


def _with_gaps(states: dict[int, bool], most: int) -> dict[int, bool]:
    """The states by frame, in order, with the frames of gaps of at most `most` frames as not filled."""
    whole: dict[int, bool] = {}
    before = min(states)
    for number in sorted(states):
        if number - before - 1 <= most:
            whole |= dict.fromkeys(range(before + 1, number), False)
        whole[number] = states[number]
        before = number
    return whole


def _row(
    name: str,
    runs: Sequence[VideoRun],
    marked: Sequence[MarkedFace],
    tracks: Sequence[TrackRecord],
) -> dict[str, str | float | int]:
    replaced = [share for one in runs for share in one.replaced]
    ids = {(one.path, face.track_id) for one in runs for faces in one.faces for face in faces}
    return {
        "video": name,
        "frames": len(replaced),
        "frames filled": sum(share > 0 for share in replaced) / max(len(replaced), 1),
        "most replaced": max(replaced, default=0.0),
        "marked": len(marked),
        "marked found": sum(face.found for face in marked),
        "marked filled": sum(face.filled for face in marked),
        **_by_track(tracks),
        "ids": len(ids),
        "masked ids": len(tracks),
    }


def _by_track(tracks: Sequence[TrackRecord]) -> dict[str, float]:
    def share(part: str, whole: str) -> float:
        total = sum(getattr(one, whole) for one in tracks)
        return sum(getattr(one, part) for one in tracks) / total if total else float("nan")

    return {
        "filled after 0.5 s": share("filled", "frames"),
        "filled after first fill": share("filled_on", "frames_on"),
        "switches in 10 s": 10 * share("switches", "seconds"),
    }


def _total(rows: Sequence[Row], marked: Sequence[MarkedFace], tracks: Sequence[TrackRecord]) -> Row:
    """The sums over videos; shares are of all frames."""
    frames = sum(int(row["frames"]) for row in rows)
    filled = sum(float(row["frames filled"]) * int(row["frames"]) for row in rows)
    return {
        **_row("all", [], marked, tracks),
        "frames": frames,
        "frames filled": filled / max(frames, 1),
        "most replaced": max(float(row["most replaced"]) for row in rows),
        "ids": sum(int(row["ids"]) for row in rows),
    }
