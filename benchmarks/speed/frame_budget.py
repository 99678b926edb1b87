"""The budget of a frame: what `unmask video` takes beside plain transcoding, and which part takes it."""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import av
import numpy as np
import typer

from benchmarks.clips import write_demo_clip
from benchmarks.options import Engine, Model, Out, Rounds
from benchmarks.speed.part_times import PartTimes, measure_parts
from benchmarks.speed.turns import Times, time_in_turn
from benchmarks.tables import Row, publish
from inpaint_model.errors import UserError
from realtime.demo.clip import DemoClip
from realtime.media.frames import Span
from realtime.media.reader import VideoReader
from realtime.unmasker import Unmasker
from realtime.video.file import VideoOptions, unmask_video

_ENCODER, _OPTIONS = "libx264", {"preset": "superfast", "crf": "18"}  # those of `unmask video`
_CODEC_THREADS = 2
_ONE_FRAME_S = 0.001  # of a span that holds one frame
_SAMPLE_S = 0.05  # between two counts of the threads
_PARTS_FRAMES = 100  # frames whose parts are timed


@dataclass(frozen=True)
class _Whole:
    """`unmask video` and transcoding on the same clip.

    Attributes:
        frames: of the clip.
        times: "unmask", "transcode", and "once": a file of one frame.
        decode_ms: CPU of decoding alone, a frame.
        threads: the most threads seen in `unmask video`; 0 where the system does not tell.
    """

    frames: int
    times: dict[str, Times]
    decode_ms: float
    threads: int

    def fps(self, way: str) -> float:
        """Frames a second, the median of the rounds."""
        return self.frames / float(np.median(self.times[way].wall_s))

    def cpu_ms(self, way: str) -> float:
        """CPU time a frame, all threads together, the median of the rounds."""
        return 1e3 * float(np.median(self.times[way].cpu_s)) / self.frames


def run(
    clip: Annotated[
        Path | None, typer.Option(help="A video of masked faces; else the demo's.")
    ] = None,
    compare: Annotated[
        Path | None, typer.Option(help="budget.json of an earlier run, shown beside this one.")
    ] = None,
    rounds: Rounds = 3,
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
) -> list[Row]:
    """Measure where a frame's CPU time goes, and how far `unmask video` stays behind transcoding.

    `unmask video` and plain decoding and encoding take turns in one process. Then the stages run in one
    thread, where every part is timed. "hand-overs" is what `unmask video` takes beyond the sum of its
    parts. "once a file" is a file of one frame: opening, the thorough search of the first frame, checking
    and closing. Times are CPU times, all threads together. The lock is Python's global one.
    """
    earlier = _earlier(compare)
    with tempfile.TemporaryDirectory() as scratch:
        source = clip or Path(scratch) / "demo.mp4"
        if clip is None:
            write_demo_clip(source, DemoClip())
        whole = _measure_whole(source, Path(scratch), model, engine, rounds)
        parts = measure_parts(source, model, engine, _PARTS_FRAMES)
    rows = _rows(whole, parts)
    if earlier:
        rows = [{**row, "before": earlier.get(str(row["what"]), "")} for row in rows]
    return publish("budget", rows, out)


def _measure_whole(source: Path, scratch: Path, model: str, engine: str, rounds: int) -> _Whole:
    """Time `unmask video`, transcoding and decoding in turn."""
    target, plain = scratch / "unmasked.mp4", scratch / "transcoded.mp4"
    most_threads: list[int] = [0]
    first_frame = Span(end_s=_first_frame_s(source) + _ONE_FRAME_S)
    with Unmasker(model, engine) as unmasker:

        def unmask() -> None:
            unmasker.reset()
            with _counting_threads(most_threads):
                unmask_video(source, target, unmasker, VideoOptions(overwrite=True))

        def unmask_one_frame() -> None:
            unmasker.reset()
            unmask_video(source, target, unmasker, VideoOptions(overwrite=True, span=first_frame))

        ways = {
            "unmask": unmask,
            "once": unmask_one_frame,
            "transcode": lambda: _transcode(source, plain),
            "decode": lambda: _decode(source),
        }
        times = time_in_turn(ways, rounds, warm_up=1)
    frames = _decode(source)
    decode_ms = 1e3 * float(np.median(times["decode"].cpu_s)) / frames
    return _Whole(frames, times, decode_ms, most_threads[0])


def _first_frame_s(source: Path) -> float:
    """When a video's first frame is shown, seconds from its beginning."""
    with VideoReader(source) as file:
        return file.first_frame().time_s - float(file.origin_s)


def _decode(source: Path) -> int:
    """Decode a video; return how many frames it has."""
    with av.open(source) as container:
        container.streams.video[0].thread_count = _CODEC_THREADS
        return sum(1 for _ in container.decode(video=0))


def _transcode(source: Path, target: Path) -> None:
    """Decode and encode the pictures of a video, and nothing else."""
    with av.open(source) as reader, av.open(target, "w") as writer:
        video = reader.streams.video[0]
        video.thread_count = _CODEC_THREADS
        stream = writer.add_stream(_ENCODER, rate=video.average_rate, options=_OPTIONS)
        stream.width, stream.height, stream.pix_fmt = video.width, video.height, video.pix_fmt
        stream.thread_count = _CODEC_THREADS
        for frame in reader.decode(video):
            frame.pict_type = 0
            writer.mux(stream.encode(frame))
        writer.mux(stream.encode(None))


@contextmanager
def _counting_threads(most: list[int]) -> Iterator[None]:
    """Count the process's threads meanwhile, where Linux lists them."""
    folder, done = Path("/proc/self/task"), threading.Event()

    def watch() -> None:
        while not done.wait(_SAMPLE_S):
            most[0] = max(most[0], sum(1 for _ in folder.iterdir()) - 1)  # without this one

    watcher = threading.Thread(target=watch, daemon=True)
    if folder.is_dir():
        watcher.start()
    try:
        yield
    finally:
        done.set()
        if watcher.is_alive():
            watcher.join()


def _rows(whole: _Whole, parts: PartTimes) -> list[Row]:
    """One figure a row."""
    unmask, transcode = whole.cpu_ms("unmask"), whole.cpu_ms("transcode")
    times = whole.times["unmask"]
    once = whole.cpu_ms("once")
    known = transcode + parts.conversions_ms + parts.stages_ms + once
    figures: list[tuple[str, float, str]] = [
        ("unmask video", whole.fps("unmask"), "frames/s"),
        ("transcoding alone", whole.fps("transcode"), "frames/s"),
        ("ratio of the two", whole.fps("unmask") / whole.fps("transcode"), ""),
        ("CPU of unmask video", unmask, "ms"),
        ("CPU over transcoding", unmask - transcode, "ms"),
        ("codec: decode", whole.decode_ms, "ms"),
        ("codec: encode", transcode - whole.decode_ms, "ms"),
        *((f"conversion: {name}", ms, "ms") for name, ms in parts.conversions.items()),
        *(
            (f"network: {name}, {parts.network_calls[name]:.2f} calls", ms, "ms")
            for name, ms in parts.networks.items()
        ),
        *((f"glue: {name}", ms, "ms") for name, ms in parts.glue.items()),
        ("all networks", sum(parts.networks.values()), "ms"),
        ("all glue", sum(parts.glue.values()), "ms"),
        ("once a file, shared by its frames", once, "ms"),
        ("hand-overs", unmask - known, "ms"),
        ("function calls", parts.calls, ""),
        ("time under the lock", 100 * parts.held, "% of the stages"),
        ("threads", whole.threads, ""),
        ("cores busy", float(np.sum(times.cpu_s) / np.sum(times.wall_s)), ""),
    ]
    return [
        {"what": what, "a frame": round(value, 3), "unit": unit} for what, value, unit in figures
    ]


def _earlier(file: Path | None) -> dict[str, object]:
    """Read the figures of an earlier run.

    Raises:
        UserError: the file cannot be read.
    """
    if file is None:
        return {}
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))["rows"]
        return {row["what"]: row["a frame"] for row in rows}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"--compare: {file} is no budget.json: {error}") from None
