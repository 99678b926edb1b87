"""Videos of bare people: no frame may be changed."""

from __future__ import annotations

from rich.progress import track

from benchmarks.finding.options import FindOptions
from benchmarks.finding.streams import bare_videos, run_video
from benchmarks.tables import Row, publish


def run(options: FindOptions) -> list[Row]:
    """Run videos of bare people as `unmask video` does; count frames that are changed."""
    rows: list[Row] = []
    touched = {}
    with options.folder_for_videos() as folder, options.unmasker("video") as unmasker:
        for path in track(bare_videos(options, folder), "bare people"):
            target = folder / f"bare-{path.stem}.mp4"
            one = run_video(path, target, unmasker)
            changed = [number for number, share in enumerate(one.replaced) if share]
            if not changed:
                target.unlink(missing_ok=True)  # a copy of the video
            touched[path.stem] = changed
            rows.append(_row(path.stem, len(one.replaced), len(changed), sum(map(len, one.faces))))
    totals = [sum(int(row[key]) for row in rows) for key in list(rows[0])[1:]]
    rows.append(_row("all", *totals))
    return publish("find-bare", rows, options.out, {"frames changed": touched})


def _row(name: str, frames: int, changed: int, faces: int) -> Row:
    return {"video": name, "frames": frames, "frames changed": changed, "faces found": faces}
