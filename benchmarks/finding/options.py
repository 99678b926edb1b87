"""What the parts of `find` are given: data, numbers, and where figures go."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.finding.crops import CropRecorder
from realtime.unmasker import Mode


@dataclass(frozen=True)
class FindOptions:
    """The options of `python -m benchmarks find`; without data the parts make their own.

    Attributes:
        faces: folder of bare faces, whose val split is used; None: the astronaut photograph.
        manifest: CSV path,source,split,identity of these faces, or None.
        marked: JSON of marked boxes beside their videos; None: the demo's clip.
        videos: more videos of masked people, without marked boxes, and folders of such videos.
        bare: videos of bare people, and folders of such videos; none: the demo's clip without its mask.
        photos: folders of photographs of masked people; none: the demo's clip.
        count: faces, pictures or frames a part; 0: the part's own number.
        every: `slip` compares each frame of this step.
        max_faces: of the unmasker, in videos and photographs.
        seed: of random choices.
        out: folder for JSON, sheets and the videos that the parts make; None: none is kept.
        model: generator.
        engine: of the generator.
    """

    faces: Path | None = None
    manifest: Path | None = None
    marked: Path | None = None
    videos: list[Path] = field(default_factory=list)
    bare: list[Path] = field(default_factory=list)
    photos: list[Path] = field(default_factory=list)
    count: int = 0
    every: int = 20
    max_faces: int = 8
    seed: int = 0
    out: Path | None = None
    model: str = "fast"
    engine: str = "auto"

    def unmasker(self, mode: Mode, max_faces: int = 0) -> CropRecorder:
        """Open an unmasker; `max_faces` of 0 takes the option's."""
        unmasker = CropRecorder(self.model, self.engine, max_faces or self.max_faces, mode=mode)
        unmasker.reset()
        return unmasker

    @contextmanager
    def folder_for_videos(self) -> Iterator[Path]:
        """The folder `out`, made where it is missing; a temporary one without it."""
        if self.out is None:
            with tempfile.TemporaryDirectory() as folder:
                yield Path(folder)
        else:
            self.out.mkdir(parents=True, exist_ok=True)
            yield self.out
