"""The commands that judge what is painted: on held-out faces and on photographs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.commands.options import Data, Engine, Model, Out


def quality(data: Data, out: Out = None, model: Model = "fast", engine: Engine = "auto") -> None:
    """PSNR and SSIM of a generator on held-out faces, beside OpenCV's Telea."""
    from benchmarks.quality import generator as benchmark

    benchmark.run(data, out, model, engine)


def segmentation(
    data: Data,
    templates: Annotated[Path | None, typer.Option(help="Folder of mask drawings.")] = None,
    out: Out = None,
) -> None:
    """IoU of the shipped segmenter on held-out faces wearing masks."""
    from benchmarks.quality import segmentation as benchmark

    benchmark.run(data, templates, out)


def identity(
    data: Data,
    templates: Annotated[Path | None, typer.Option(help="Folder of mask drawings.")] = None,
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
    limit: Annotated[int, typer.Option(help="So many held-out faces.")] = 600,
) -> None:
    """Are masked faces nearer to their bare selves unmasked? dlib's similarity of held-out faces."""
    from benchmarks.quality import identity as benchmark

    benchmark.run(data, templates, out, model, engine, limit)


def photos(
    photos: Annotated[list[Path], typer.Option(help="Folder of masked people; repeat.")],
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
    limit: Annotated[int, typer.Option(help="This many, evenly spread; 0 for all.")] = 0,
) -> None:
    """Share of real masked photographs found and acted on, and a sheet of them."""
    from benchmarks.photographs import detection as benchmark

    benchmark.run_masked(photos, out, model, engine, limit)


def outlines(
    photos: Annotated[Path, typer.Option(help="Folder of the outlined photographs.")],
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
) -> None:
    """IoU of the replaced pixels against masks outlined by hand, and a sheet of both outlines."""
    from benchmarks.photographs import outlines as benchmark

    benchmark.run(photos, out, model, engine)


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
    from benchmarks.photographs import sheet as benchmark

    benchmark.run(photos, out, model, engine, count=count, seed=seed, per_page=page)


def empty(
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
    count: Annotated[int, typer.Option(help="So many frames.")] = 200,
    seed: Annotated[int, typer.Option(help="Which ones.")] = 0,
) -> None:
    """Share of frames without people in which a face is found, and in which a pixel is changed."""
    from benchmarks.photographs import empty as benchmark

    benchmark.run(out, model, engine, count, seed)


def bare(
    faces: Annotated[Path, typer.Option(help="Folder of bare faces; its val split is used.")],
    manifest: Annotated[Path | None, typer.Option(help="CSV path,source,split,identity.")] = None,
    out: Out = None,
    model: Model = "fast",
    engine: Engine = "auto",
) -> None:
    """Share of bare faces left bit-identical."""
    from benchmarks.photographs import detection as benchmark

    benchmark.run_bare(faces, manifest, out, model, engine)


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
    from benchmarks.realism import realism as benchmark

    benchmark.run(clips or [], photos or [], out, model, engine, limit)


def appearance(
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
    """What each appearance step gives: each is left out in turn; seam, sharpness, flicker, colour, ms."""
    from benchmarks.realism import appearance as benchmark

    benchmark.run(clips or [], photos or [], out, model, engine, limit)


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
    from benchmarks import frame_hashes as benchmark

    benchmark.run(photos, clip, pictures, frames, keep, against, out)
