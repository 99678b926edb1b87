"""The options of the trainer's commands: the fields of one dataclass a command, with their help."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, TypeVar

from typer import Option

T = TypeVar("T")

Data = Annotated[list[Path], Option(help="Prepared file (.npz); repeat for several.")]


@dataclass(frozen=True, kw_only=True)
class PrepareOptions:
    """What `prepare` reads and writes."""

    out: Annotated[Path, Option(help="Prepared file to write (.npz).")]
    folders: Annotated[
        list[Path] | None, Option("--faces", help="Folder of photographs; repeat for several.")
    ] = None
    data: Annotated[
        list[Path] | None,
        Option(help="Prepared file to choose from, in place of --faces; repeat for several."),
    ] = None
    pack_mib: Annotated[
        float | None,
        Option("--pack", help="Largest size of --out in MiB: the best faces, coded to fit."),
    ] = None
    source: Annotated[list[str] | None, Option(help="Data set to keep; repeat. Default: all.")] = (
        None
    )
    manifest: Annotated[
        Path | None, Option(help="CSV path,source,split,identity; paths relative to the CSV.")
    ] = None
    min_eye_px: Annotated[
        float, Option(help="Drop faces whose outer eye corners are closer than this, in pixels.")
    ] = 24
    margin_px: Annotated[
        int | None,
        Option(
            "--margin",
            help="Crop pixels kept around each crop, a multiple of 4. Default: 0, or that of --data.",
        ),
    ] = None
    scale: Annotated[
        int, Option(help="Pixels for each crop pixel in each direction; the refiner needs 2.")
    ] = 1
    workers: Annotated[int, Option(help="Number of processes.")] = 2
    limit: Annotated[int, Option(help="Largest number of photographs a folder. 0: all.")] = 0
    mattes: Annotated[
        Path | None,
        Option(help="MediaPipe's selfie_segmentation.tflite: store the people's mattes too."),
    ] = None


@dataclass(frozen=True, kw_only=True)
class FitOptions:
    """A training run: what it learns from, what it changes of its preset, and where it runs."""

    preset: Annotated[
        str, Option(help="paper, glcic, paper-mask, fast, segmenter, aligner or refiner.")
    ]
    data: Data
    run: Annotated[Path, Option(help="Run folder: configuration, metrics, sheets, checkpoints.")]
    resume: Annotated[bool, Option("--resume", help="Continue from the run's checkpoint.")] = False
    begin: Annotated[
        Path | None,
        Option(help="Initial weights: a run folder, .onnx or .tflite."),
    ] = None
    first_stage: Annotated[
        int, Option(help="Leave out the preset's stages before this one: for trained weights.")
    ] = 1
    last_stage: Annotated[
        int | None, Option(help="Leave out the preset's stages after this one.")
    ] = None
    minutes: Annotated[
        float | None,
        Option(
            help="Train for so long, loading and export included, in place of the preset's steps."
        ),
    ] = None
    crops: Annotated[
        int | None, Option(help="Number of crops to train on in all, in place of the preset's.")
    ] = None
    scale: Annotated[
        float | None, Option(help="Factor on the preset's number of steps. Default: 1.")
    ] = None
    batch: Annotated[
        int | None,
        Option(min=2, help="Crops a step; the steps are scaled to see as many crops in all."),
    ] = None
    rate: Annotated[
        float, Option(help="Factor on the preset's learning rates: below 1 to go on from --begin.")
    ] = 1.0
    width: Annotated[
        int | None, Option(help="Channels of the generator's first layer; paper 64, fast 32.")
    ] = None
    faces: Annotated[int | None, Option(help="Number of faces to train on. 0: all.")] = None
    teacher: Annotated[
        str | None,
        Option(
            help="Generator whose fills are learnt too: fast, paper, .onnx, run folder. Segmenter: .tflite."
        ),
    ] = None
    seed: Annotated[int | None, Option(help="Random seed, in place of the preset's.")] = None
    accelerator: Annotated[str, Option(help="auto, cpu, cuda or another of Fabric's.")] = "auto"
    devices: Annotated[int, Option(min=1, help="Number of devices; they share each batch.")] = 1
    precision: Annotated[
        str, Option(help="bf16-mixed, 16-mixed, 32-true, ...; auto: bf16 where it is fast.")
    ] = "auto"
    threads: Annotated[int, Option(help="Number of CPU threads. 0: torch's default.")] = 0
    compiled: Annotated[
        bool, Option("--compile", help="Compile the network with torch.compile (minutes).")
    ] = False
    recogniser: Annotated[
        Path | None, Option(help="Folder of the face recogniser's weights: perceptual loss.")
    ] = None
    templates: Annotated[
        Path | None, Option(help="Segmenter: folder of mask templates worn in training.")
    ] = None
    val_templates: Annotated[
        Path | None, Option(help="Segmenter: folder of mask templates worn in validation.")
    ] = None
    backgrounds: Annotated[
        Path | None,
        Option(help="Segmenter: folder of photographs without any mask, faces among them."),
    ] = None
    places: Annotated[
        Path | None,
        Option(help="Aligner, segmenter: folder of photographs without people."),
    ] = None
    manifest: Annotated[
        Path | None, Option(help="CSV of the splits of these photographs, as for prepare.")
    ] = None


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions:
    """What `evaluate` measures, and on which faces."""

    data: Data
    out: Annotated[Path, Option(help="Folder for the JSON, the Markdown table and the sheets.")]
    run: Annotated[Path | None, Option(help="Run folder of a fit; or name --model.")] = None
    model: Annotated[str | None, Option(help="fast, paper, or an ONNX file.")] = None
    engine: Annotated[str, Option(help="Engine of --model: auto, openvino, ...")] = "auto"
    split: Annotated[str, Option(help="val, train or test.")] = "val"
    source: Annotated[
        list[str] | None, Option(help="Data set to measure; repeat. Default: all.")
    ] = None
    faces: Annotated[int, Option(help="Largest number of faces a data set. 0: all.")] = 0
    protocol: Annotated[
        list[str] | None, Option(help="paper-squares or face-mask; repeat. Default: both.")
    ] = None
    recogniser: Annotated[
        Path | None, Option(help="Folder of the face recogniser's weights: perceptual distance.")
    ] = None
    identity: Annotated[
        bool, Option(help="Measure identity distances, where dlib is installed.")
    ] = True
    seed: Annotated[int, Option(help="Random seed of the choice of faces and of the holes.")] = 7


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """What `export` writes as an artefact."""

    data: Data
    run: Annotated[Path | None, Option(help="Run folder of a fit; or name --model.")] = None
    mean_with: Annotated[
        Path | None, Option(help="Another run folder: the mean of both runs' weights is written.")
    ] = None
    model: Annotated[
        Path | None, Option(help="Exported .onnx file (fp32, fp16) to export again.")
    ] = None
    out: Annotated[Path, Option(help="Folder to write the artefact to.")] = Path(
        "inpaint_model/weights"
    )


def takes_options(
    options: type[T],
) -> Callable[[Callable[[T], None]], Callable[..., None]]:
    """Make the fields of a dataclass the options of a Typer command that takes such an object."""

    def decorate(command: Callable[[T], None]) -> Callable[..., None]:
        @wraps(command)
        def run(**values: Any) -> None:
            command(options(**values))

        run.__dict__["__signature__"] = inspect.signature(options, eval_str=True)
        return run

    return decorate
