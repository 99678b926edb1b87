"""Tiny real media for tests, made with PyAV, and unmaskers whose answers are known."""

from __future__ import annotations

import resource
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import OutputContainer
from numpy.typing import NDArray

from inpaint_model.artefacts import ArtefactHashes
from realtime.frames import (
    FaceResult,
    InpaintedFrame,
    SegmentedFrame,
    TrackedFrame,
    UnmaskResult,
)

TICKS = Fraction(1, 12800)
SOUND_HZ = 48000


def moving_images(count: int, size: tuple[int, int] = (96, 64)) -> Iterator[NDArray[np.uint8]]:
    """Smooth pictures that move, uint8 [H, W, 3] BGR; size is width, height."""
    xs, ys = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    for index in range(count):
        planes = [
            128 + 90 * np.sin((xs * a + ys * b) / 20 + index / 6)
            for a, b in ((1, 0), (0, 1), (1, 1))
        ]
        yield np.stack(planes, axis=2).astype(np.uint8)


def write_video(
    path: Path,
    images: Iterable[NDArray[np.uint8]],
    *,
    steps: Iterable[int] | None = None,
    sound_s: float = 0.0,
    pixel_format: str = "yuv420p",
    container: str | None = None,
    keyframe_every: int = 250,
    quick: bool = False,
) -> Path:
    """Write H.264 with ticks of 1/12800 s; `steps` are the frames' durations, 512 by default.

    A `quick` one takes a quarter of the time and twice the bytes.
    """
    durations = iter(steps) if steps is not None else iter(lambda: 512, None)
    with av.open(str(path), "w", format=container) as file:
        video = file.add_stream("libx264", rate=25)
        video.pix_fmt = pixel_format
        video.codec_context.time_base = TICKS
        video.codec_context.gop_size = keyframe_every
        if quick:
            video.codec_context.options = {"preset": "ultrafast"}
        audio = file.add_stream("aac", rate=SOUND_HZ) if sound_s else None
        pts = 0
        for index, image in enumerate(images):
            if index == 0:
                video.height, video.width = image.shape[:2]
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts, frame.time_base = pts, TICKS
            pts += next(durations)
            file.mux(video.encode(frame))
        file.mux(video.encode(None))
        if audio is not None:
            write_tone(file, audio, sound_s)
    return path


def write_tone(file: OutputContainer, stream: av.AudioStream, seconds: float) -> None:
    times_s = np.arange(round(seconds * SOUND_HZ)) / SOUND_HZ
    tone = (0.2 * np.sin(2 * np.pi * 440 * times_s)).astype(np.float32)
    for start in range(0, len(tone), 1024):
        part = np.ascontiguousarray(np.stack([tone[start : start + 1024]] * 2))
        frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = SOUND_HZ, start, Fraction(1, SOUND_HZ)
        file.mux(stream.encode(frame))
    file.mux(stream.encode(None))


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let a write beyond a size, in bytes, fail, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@dataclass(frozen=True)
class Packets:
    """What a file holds: shown times of frames, in seconds, and sound packets."""

    shown_s: list[Fraction]
    video_end_s: Fraction
    sound: list[tuple[int | None, int | None, int | None, bytes]]
    size: tuple[int, int]
    tags: dict[str, str]


def read_packets(path: Path) -> Packets:
    """Read a file packet by packet."""
    with av.open(str(path)) as file:
        video = file.streams.video[0]
        base, start_pts = video.time_base or Fraction(1), video.start_time or 0
        end = (start_pts + (video.duration or 0)) * base  # a packet's duration is its decoding's
        shown, sound = [], []
        for packet in file.demux():
            if not packet.size:
                continue
            if packet.stream.type == "video" and packet.pts is not None:
                shown.append(packet.pts * packet.time_base)
            else:
                sound.append((packet.pts, packet.dts, packet.duration, bytes(packet)))
        tags = {name.lower(): value for name, value in file.metadata.items()}
        return Packets(sorted(shown), end, sound, (video.width, video.height), tags)


@dataclass
class StubNetwork:
    """What a report says of it."""

    model: str = "stub"
    model_sha256: str = "0" * 64
    engine: str = "none"
    precision: str = "fp32"
    reason = "a stub; chosen by the test"
    warnings: tuple[str, ...] = ()


class StubUnmasker:
    """Finds one face a frame; paints a square over it where `paints`.

    Args:
        faces: how many faces it says it finds.
        paints: whether they wear masks.
        fails_at: the frame at which it raises.
    """

    PAINT_BGR = (40, 80, 160)

    def __init__(self, *, faces: int = 1, paints: bool = True, fails_at: int | None = None) -> None:
        self.inpainter = StubNetwork()
        self.artefacts = ArtefactHashes("a" * 64, "b" * 64, "c" * 64, "d" * 64, "e" * 64)
        self._faces, self._paints, self._fails_at = faces, paints, fails_at
        self.seen = 0

    def reset(self) -> None:
        self.seen = 0

    def detect_and_track(
        self, frame_bgr: NDArray[np.uint8], time_s: float | None = None, *, smooth: bool = True
    ) -> TrackedFrame:
        return TrackedFrame(frame_bgr, ())

    def segment(self, tracked: TrackedFrame) -> SegmentedFrame:
        return SegmentedFrame(tracked, ())

    def inpaint(self, segmented: SegmentedFrame) -> InpaintedFrame:
        return InpaintedFrame(segmented, ())

    def composite(self, inpainted: InpaintedFrame) -> UnmaskResult:
        return self(inpainted.segmented.tracked.frame_bgr)

    def __call__(self, frame_bgr: NDArray[np.uint8]) -> UnmaskResult:
        if self.seen == self._fails_at:
            raise RuntimeError("the stub fails here")
        self.seen += 1
        height, width = frame_bgr.shape[:2]
        replaced = np.zeros((height, width), np.uint8)
        frame = frame_bgr
        if self._paints and self._faces:
            frame = frame_bgr.copy()
            replaced[height // 2 :, : width // 2] = 255
            frame[replaced > 0] = self.PAINT_BGR
        crop = np.zeros((128, 128, 3), np.uint8)
        face = FaceResult(0, (0, 0, 1, 1), np.zeros((5, 2)), 0.3, self._paints, crop, crop)
        return UnmaskResult(frame, replaced, [face] * self._faces, {"detect_and_track": 1.0})
