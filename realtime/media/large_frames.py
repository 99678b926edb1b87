"""How codecs decode and encode large frames, so that few of them are held in memory at once."""

from __future__ import annotations

from typing import Literal

from av.video.codeccontext import VideoCodecContext

from realtime.runtime.threads import half_the_cores

_LARGE_PX, _HUGE_PX = 6_000_000, 16_000_000  # pixels of a frame; 4K is large, 8K huge
_FEW_FRAMES = {
    "libx264": (_HUGE_PX, "bframes=0:ref=1:sync-lookahead=0:rc-lookahead=0:subme=0"),
    "libx265": (_LARGE_PX, "bframes=0:ref=1:rc-lookahead=2:frame-threads=1"),
}
"""By encoder: from which size of a frame on, and its own parameters by which it holds few frames."""


def decoding_threads(frame_px: int) -> Literal["AUTO", "SLICE"]:
    """Return what a decoder's threads share: slices of large frames, as each would hold more of these."""
    return "SLICE" if frame_px > _LARGE_PX else "AUTO"


def set_x264_threads(context: VideoCodecContext, frame_px: int) -> None:
    """Let x264's threads share each large frame, and give each of them its own of the smaller ones."""
    context.thread_type = "SLICE" if frame_px > _LARGE_PX else "FRAME"
    context.thread_count = 1 if frame_px > _HUGE_PX else 1 + half_the_cores()


def parameters_for_few_frames(encoder: str, frame_px: int) -> str:
    """Return the encoder's own parameters by which it holds few large frames; "" where it needs none.

    Args:
        encoder: FFmpeg's name.
        frame_px: pixels of a frame.
    """
    from_px, parameters = _FEW_FRAMES.get(encoder, (0, ""))
    return parameters if frame_px > from_px else ""
