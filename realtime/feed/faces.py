"""`unmask_faces`: the feed as a Python iterator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, nullcontext
from pathlib import Path

from realtime.feed.embedder import Embedder
from realtime.feed.record import FaceRecord
from realtime.feed.run import Feed
from realtime.feed.selection import FeedOptions
from realtime.feed.sources import LiveOptions, open_source
from realtime.unmasker import Unmasker


def unmask_faces(
    source: str | Path,
    *,
    model: str = "fast",
    engine: str = "auto",
    max_faces: int = 8,
    embedder: str | Path | None = None,
    every_s: float = 0.0,
    best_shot: bool = False,
    only_bare: bool = False,
    min_size_px: float = 0.0,
    seconds: float | None = None,
) -> Iterator[FaceRecord]:
    """Yield a record of each face in each frame of a source, as `unmask feed` writes them.

    The source is open while the iterator is: leave the loop, and close the iterator or let it go.

    Args:
        source: a video, a picture, a folder of pictures, a camera (number, name or device) or an address.
        model: generator: "fast", "paper", or the path of an ONNX file of the same interface.
        engine: what runs it, as for `Unmasker`.
        max_faces: at most this many faces a frame, the largest first.
        embedder: ONNX file of a recogniser; records then hold embeddings.
        every_s: at most one record a track in this time, seconds; 0: each frame's.
        best_shot: one record a track, when the track ends: its best.
        only_bare: leave out faces whose lower half is invented.
        min_size_px: leave out faces whose bounding box is narrower.
        seconds: stop a live source after this time.

    Raises:
        UserError: the source cannot be read, or a model or an engine cannot be had.
    """
    options = FeedOptions(
        every_s=every_s, best_shot=best_shot, only_bare=only_bare, min_size_px=min_size_px
    )
    with (
        closing(Embedder(Path(embedder))) if embedder is not None else nullcontext() as recogniser,
        closing(open_source(str(source), LiveOptions(seconds=seconds))) as opened,
        Unmasker(model, engine, max_faces, mode=opened.mode) as unmasker,
    ):
        yield from Feed(opened, unmasker, options, recogniser)
