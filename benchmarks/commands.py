"""The benchmarks' commands: where each one's function is, and the two that are short enough for here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.options import Engine, Model, Out

# Module and function by command, in the order of the help text; a module is imported when it runs.
COMMANDS = {
    "quality": ("quality.generator", "run", "PSNR and SSIM of a generator on held-out faces"),
    "segmentation": ("quality.segmentation", "run", "IoU of the segmenter on rendered masks"),
    "identity": ("quality.identity", "run", "similarity of unmasked faces to their bare selves"),
    "groups": ("quality.groups", "run", "fills by label, sex, age and skin tone"),
    "photos": ("photographs.detection", "run_masked", "share of masked faces found and filled"),
    "outlines": ("photographs.outlines", "run", "IoU against masks outlined by hand"),
    "sheet": (
        "photographs.sheet",
        "run",
        "results before and after, to judge by eye; --judge: in the browser",
    ),
    "empty": ("photographs.empty", "run", "false alarms on frames without people"),
    "bare": ("photographs.detection", "run_bare", "share of bare faces left bit-identical"),
    "find": ("finding.find", "run", "faces found by size, roll, time and footage, and the cost"),
    "recognition": ("recognition.recognition", "run", "whether unmasking helps a recogniser"),
    "kinds": ("kinds.kinds", "run", "hard kinds made by rendering, against exact truth"),
    "points": ("recognition.points", "run", "the five points of masked faces, and their crop"),
    "realism": ("realism.realism", "run", "sharpness, seam and flicker beside the truth"),
    "appearance": ("realism.appearance", "run", "what each appearance step gives"),
    "halo": ("realism.halo", "run", "colour error beside the jaw, under masks wider than it"),
    "hashes": ("commands", "hashes", "hashes of results, to hold a rewrite to the same pixels"),
    "video": ("speed.video", "run", "speed and peak memory of `unmask video`"),
    "stability": ("realism.stability", "run", "flicker, jitter, reaction to masks, lost ids"),
    "live": ("live.live", "run", "live preview against two naive loops, by camera"),
    "soak": ("live.soak", "run", "growth of live preview's memory and delay"),
    "cold-start": ("speed.cold_start", "run", "time to the first crop and the first frame"),
    "table4": ("quality.table4", "run", "the paper's Table 4: one autoencoder against two"),
    "latency": ("speed.latency", "run", "milliseconds a crop of the generators"),
    "engines": ("speed.engines", "run", "every engine against torch in eager fp32"),
    "gpu": ("speed.gpu", "run", "a GPU in three minutes: engines, soak, training"),
    "threads": ("speed.threads", "run", "`unmask video` by the generator's CPU threads"),
    "budget": ("speed.frame_budget", "run", "CPU time of a frame by part, beside transcoding"),
    "file-fps": ("speed.file_fps", "run", "`unmask video` beside a supervision-style loop"),
    "feed": ("speed.feed", "run", "speed and steady ids of `unmask feed` with two faces"),
    "memory": ("robustness.memory", "run", "peak and growth of memory over a long video"),
    "kills": ("robustness.kills", "run", "SIGKILL at random moments, then --resume"),
    "recordings": (
        "robustness.recordings",
        "run",
        "`unmask live --record` ended at random moments",
    ),
    "hostile": ("robustness.hostile", "run", "every command on broken and absurd files"),
    "all": ("commands", "run_all", "cold start and the demo's clip: needs no other data"),
}


def hashes(
    photos: Annotated[
        Path | None, typer.Option(help="Folder of pictures; else the demo's.")
    ] = None,
    clip: Annotated[Path | None, typer.Option(help="A video; else the demo's clip.")] = None,
    pictures: Annotated[int, typer.Option(min=1, help="So many pictures.")] = 20,
    frames: Annotated[int, typer.Option(min=1, help="So many frames of the clip.")] = 100,
    keep: Annotated[Path | None, typer.Option(help="Write the hashes here.")] = None,
    against: Annotated[Path | None, typer.Option(help="Hashes of an earlier run.")] = None,
    out: Out = None,
) -> None:
    """Hash the results of pictures and of a clip, to hold a rewrite to the same pixels."""
    from benchmarks import frame_hashes

    frame_hashes.run(photos, clip, pictures, frames, keep, against, out)


def run_all(out: Out = None, model: Model = "fast", engine: Engine = "auto") -> None:
    """Measure what needs no research data: cold start, and `unmask video` on the demo's clip."""
    from benchmarks.speed import cold_start, video

    cold_start.run(out, model, engine)
    video.run_demo(out, model, engine)
