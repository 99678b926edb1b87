"""The benchmarks' command line; each prints a table and writes JSON."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from inpaint_model.errors import UserError

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)

Data = Annotated[list[Path], typer.Option(help="Prepared file of faces; repeat for shards.")]
Out = Annotated[Path | None, typer.Option(help="Folder for JSON and sheets.")]
Model = Annotated[str, typer.Option(help="fast, paper, or an ONNX file.")]
Engine = Annotated[str, typer.Option(help="auto, openvino, onnxruntime, ...")]


@app.command()
def quality(data: Data, out: Out = None, model: Model = "fast", engine: Engine = "auto") -> None:
    """PSNR and SSIM of a generator on held-out faces, beside OpenCV's Telea."""
    from benchmarks import quality as benchmark

    benchmark.run(data, out, model, engine)


@app.command()
def segmentation(
    data: Data,
    templates: Annotated[Path | None, typer.Option(help="Folder of mask drawings.")] = None,
    out: Out = None,
) -> None:
    """IoU of the shipped segmenter on held-out faces wearing masks."""
    from benchmarks import segmentation as benchmark

    benchmark.run(data, templates, out)


@app.command()
def photos(
    photos: Annotated[list[Path], typer.Option(help="Folder of masked people; repeat.")],
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
    limit: Annotated[int, typer.Option(help="This many, evenly spread; 0 for all.")] = 0,
) -> None:
    """Share of real masked photographs found and acted on, and a sheet of them."""
    from benchmarks import photos as benchmark

    benchmark.run_masked(photos, out, model, engine, limit)


@app.command()
def outlines(
    photos: Annotated[Path, typer.Option(help="Folder of the outlined photographs.")],
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
) -> None:
    """IoU of the replaced pixels against masks outlined by hand, and a sheet of both outlines."""
    from benchmarks import outlines as benchmark

    benchmark.run(photos, out, model, engine)


@app.command()
def sheet(
    photos: Annotated[list[Path], typer.Option(help="Folder of masked people; repeat.")],
    out: Annotated[Path, typer.Option(help="The sheet, a PNG or JPEG; pages are numbered.")],
    count: Annotated[int, typer.Option(help="So many clear photographs.")] = 60,
    seed: Annotated[int, typer.Option(help="Which ones.")] = 0,
    page: Annotated[int, typer.Option(help="Pairs on a page.")] = 20,
    model: Model = "fast",
    engine: Engine = "auto",
) -> None:
    """Random clear photographs before and after, to judge by eye."""
    from benchmarks import sheet as benchmark

    benchmark.run(photos, out, model, engine, count=count, seed=seed, a_page=page)


@app.command()
def empty(
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
    count: Annotated[int, typer.Option(help="So many frames.")] = 200,
    seed: Annotated[int, typer.Option(help="Which ones.")] = 0,
) -> None:
    """Share of frames without people in which a face is found, and in which a pixel is changed."""
    from benchmarks import empty as benchmark

    benchmark.run(out, model, engine, count, seed)


@app.command()
def bare(
    faces: Annotated[Path, typer.Option(help="Folder of bare faces; its val split is used.")],
    manifest: Annotated[Path | None, typer.Option(help="CSV path,source,split,identity.")] = None,
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
) -> None:
    """Share of bare faces left bit-identical."""
    from benchmarks import photos as benchmark

    benchmark.run_bare(faces, manifest, out, model, engine)


@app.command()
def realism(
    clips: Annotated[
        list[Path] | None, typer.Option(help="Clip or folder of bare faces; repeat.")
    ] = None,
    photos: Annotated[
        list[Path] | None, typer.Option(help="Folder of masked people; repeat.")
    ] = None,
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
    limit: Annotated[int, typer.Option(help="So many photographs, evenly spread; 0: all.")] = 0,
) -> None:
    """Sharpness of the fill against the face's own skin, seam and flicker, beside the truth."""
    from benchmarks import realism as benchmark

    benchmark.run(clips or [], photos or [], out, model, engine, limit)


@app.command()
def video(
    clips: Annotated[list[Path], typer.Option(help="Clip or folder of clips; repeat.")],
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
) -> None:
    """Frames a second and peak memory of `unmask video` on 512x512 clips."""
    from benchmarks import video as benchmark

    benchmark.run(clips, out, model, engine)


@app.command()
def stability(
    clips: Annotated[list[Path], typer.Option(help="Clip of one bare face, or a folder; repeat.")],
    frames: Annotated[int, typer.Option(min=20, help="Of each clip the first so many.")] = 150,
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
) -> None:
    """Flicker, jitter, reaction to masks put on and taken off, with smoothing and without."""
    from benchmarks import stability as benchmark

    benchmark.run(clips, frames, out, model, engine)


@app.command()
def live(
    clip: Annotated[
        Path | None,
        typer.Option(help="Clip of one bare face; else the demo's.", show_default=False),
    ] = None,
    seconds: Annotated[float, typer.Option(min=1, help="Of each run.")] = 20.0,
    size: Annotated[list[str] | None, typer.Option(help="Such as 640x480; repeat.")] = None,
    fps: Annotated[list[int] | None, typer.Option(help="Of the camera; repeat.")] = None,
    faces: Annotated[list[int] | None, typer.Option(help="1, 2 or 4; repeat.")] = None,
    loop: Annotated[list[str] | None, typer.Option(help="unmask live, ...; repeat.")] = None,
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
) -> None:
    """Frames a second, delay and drops of live preview against two naive loops, by camera."""
    from benchmarks import live as benchmark

    cases = benchmark.chosen(size, fps, faces)
    benchmark.run(clip, cases, seconds, loop or list(benchmark.LOOPS), out, model, engine)


@app.command()
def soak(
    minutes: Annotated[float, typer.Option(min=0.05, help="How long.")] = 10.0,
    clip: Annotated[
        Path | None,
        typer.Option(help="Clip of one bare face; else the demo's.", show_default=False),
    ] = None,
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
) -> None:
    """Growth of memory and delay of live preview."""
    from benchmarks import soak as benchmark

    benchmark.run(minutes, clip, out, model, engine)


@app.command("cold-start")
def cold_start(out: Out = None, model: Model = "fast", engine: Engine = "auto") -> None:
    """Seconds to the help text and to the first unmasked frame."""
    from benchmarks import cold_start as benchmark

    benchmark.run(out, model, engine)


@app.command()
def table4(
    data: Data,
    runs: Annotated[Path, typer.Option(help="Folder of the runs `glcic` and `paper`.")],
    crops: Annotated[int, typer.Option(help="Train missing runs on so many crops; 0: none.")] = 0,
    width: Annotated[int, typer.Option(help="First channels of runs trained here.")] = 64,
    batch: Annotated[int, typer.Option(help="Crops a step of runs trained here.")] = 32,
    threads: Annotated[int, typer.Option(help="CPU threads of runs trained here.")] = 0,
    out: Out = None,
) -> None:
    """The paper's Table 4: one autoencoder against two of equal budget, beside the printed figures."""
    from benchmarks import table4 as benchmark

    budget = benchmark.Budget(crops, width, batch, threads) if crops else None
    benchmark.run(data, runs, budget, out)


@app.command()
def latency(
    model: Annotated[list[str] | None, typer.Option(help="Model; repeat; fast and paper.")] = None,
    batch: Annotated[list[int] | None, typer.Option(help="Crops a call; repeat; 1 and 4.")] = None,
    engine: Engine = "auto",
    threads: Annotated[int, typer.Option(help="CPU threads; 0: the engine decides.")] = 0,
    out: Out = None,
) -> None:
    """Milliseconds a crop of the generators, and how many times the first is faster."""
    from benchmarks import latency as benchmark

    benchmark.run(model or ["fast", "paper"], batch or [1, 4], engine, threads, out)


@app.command()
def engines(
    model: Annotated[list[str] | None, typer.Option(help="Model; repeat; fast and paper.")] = None,
    batch: Annotated[list[int] | None, typer.Option(help="Crops a call; repeat.")] = None,
    device: Annotated[str, typer.Option(help="auto, cuda or cpu.")] = "auto",
    threads: Annotated[int, typer.Option(help="CPU threads; 0: each engine decides.")] = 0,
    rounds: Annotated[int, typer.Option(min=1, help="Calls of each engine.")] = 30,
    out: Out = None,
) -> None:
    """Every engine that runs here against torch in eager fp32: latency, throughput, share of peak."""
    from benchmarks import engines as benchmark

    benchmark.run(model or ["fast", "paper"], batch or [1, 4], device, threads, out, rounds)


@app.command()
def threads(
    model: Annotated[list[str] | None, typer.Option(help="Model; repeat; fast and paper.")] = None,
    count: Annotated[list[int] | None, typer.Option(help="Threads; repeat; 1 to all.")] = None,
    engine: Engine = "auto",
    rounds: Annotated[int, typer.Option(min=1, help="Runs of each.")] = 3,
    out: Out = None,
) -> None:
    """Frames a second of the whole line against the generator's CPU threads."""
    from benchmarks import threads as benchmark

    benchmark.run(model or ["fast", "paper"], count or (), engine, rounds, out)


@app.command("file-fps")
def file_fps(
    size: Annotated[str, typer.Option(help="Width x height.")] = "1280x720",
    seconds: Annotated[float, typer.Option(help="Length of the clip at 30 frames/s.")] = 20.0,
    rounds: Annotated[int, typer.Option(min=1, help="Runs of each; the median counts.")] = 3,
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
) -> None:
    """Frames a second of a file from decoding to coding, beside a supervision-style loop."""
    from benchmarks import file_fps as benchmark

    benchmark.run(out, model, engine, _size(size), seconds, rounds)


@app.command()
def memory(
    size: Annotated[str, typer.Option(help="Width x height.")] = "1920x1080",
    minutes: Annotated[float, typer.Option(help="Length of the looped video.")] = 60.0,
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
) -> None:
    """Peak memory over a long video, and its growth with the frames."""
    from benchmarks import memory as benchmark

    benchmark.run(out, model, engine, _size(size), minutes)


@app.command()
def kills(
    count: Annotated[int, typer.Option(min=1, help="Runs that are killed.")] = 20,
    seconds: Annotated[float, typer.Option(help="Length of the clip.")] = 20.0,
    seed: Annotated[int, typer.Option(help="Of the moments.")] = 0,
    out: Out = None,
) -> None:
    """SIGKILL at random moments, then --resume: files and timestamps must come out right."""
    from benchmarks import kills as benchmark

    benchmark.run(out, count, seconds, seed)


@app.command()
def hostile(
    count: Annotated[int, typer.Option(min=1, help="Files.")] = 500,
    seed: Annotated[int, typer.Option(help="Of the random damage.")] = 0,
    every: Annotated[int, typer.Option(min=1, help="Try only every so manieth.")] = 1,
    out: Out = None,
) -> None:
    """Every command that reads a file on broken ones: no traceback, hang, crash, runaway memory."""
    from benchmarks import hostile as benchmark

    if any(row["faults"] for row in benchmark.run(count, out, seed, every)):
        raise typer.Exit(1)


def _size(text: str) -> tuple[int, int]:
    try:
        width, height = (int(part) for part in text.split("x"))
    except ValueError:
        raise UserError(f"--size: {text} is no size such as 1280x720") from None
    return width, height


@app.command("all")
def run_all(out: Out = None, model: Model = "fast", engine: Engine = "auto") -> None:
    """What can be measured without research data: cold start, and the demo's clip as a video."""
    from benchmarks import cold_start as start
    from benchmarks import video as film

    start.run(out, model, engine)
    film.run_demo(out, model, engine)


def main() -> None:
    """Run a command; a UserError is one line and exit code 2."""
    try:
        app()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
