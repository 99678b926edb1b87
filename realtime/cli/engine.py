"""`unmask engine`: compile models ahead of time, list and clear what is compiled, export for Triton."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from realtime.runtime.console import say

app = typer.Typer(
    help="Compiled engines: build, list, clear, export.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


class EngineName(StrEnum):
    """What runs the network."""

    AUTO = "auto"
    OPENVINO = "openvino"
    ONNXRUNTIME = "onnxruntime"
    TENSORRT = "tensorrt"
    TORCH = "torch"


class TritonFormat(StrEnum):
    """How a model lies in a Triton repository."""

    ONNX = "onnx"
    PLAN = "plan"


Model = Annotated[str, typer.Option(help="fast, paper, or the path of an .onnx generator.")]
Engine = Annotated[EngineName, typer.Option(help="What runs the network; auto: the fastest.")]
_KEPT = ("openvino", "tensorrt")


@app.command()
def build(
    model: Annotated[list[str] | None, typer.Option(help="Model; repeat; fast and paper.")] = None,
    engine: Engine = EngineName.AUTO,
    cards: Annotated[
        list[str] | None,
        typer.Option(
            "--for",
            metavar="ARCHITECTURE",
            help="Build for such a GPU, here or not, as sm_86; repeat. TensorRT for RTX only.",
        ),
    ] = None,
) -> None:
    """Compile models now, so that the first use need not."""
    from inpaint_model import UserError, open_inpainter

    if cards and engine not in (EngineName.AUTO, EngineName.TENSORRT):
        raise UserError(f"--for is for engine tensorrt, not {engine.value}")
    for name in model or ["fast", "paper"]:
        if cards or engine is EngineName.TENSORRT:
            _build_tensorrt(name, cards or [])
            continue
        began = time.monotonic()
        with open_inpainter(name, engine.value) as inpainter:
            for warning in inpainter.warnings:
                say(f"note: {warning}")
            say(f"{inpainter.model}: ready in {time.monotonic() - began:.1f} s, {inpainter.reason}")


@app.command("list")
def list_() -> None:
    """Show what is compiled, the last used first."""
    from inpaint_model.cache import CompiledCache

    for engine in _KEPT:
        cache = CompiledCache(engine)
        for entry in cache.entries():
            used = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.used_s))
            facts = [entry.facts.get(name, "") for name in ("model", "precision", "device")]
            about = ", ".join(filter(None, [*facts, entry.facts.get("library", "")]))
            size = f"{entry.size / 1e6:6.1f} MB"
            print(f"{engine:10} {size}  {entry.seconds:6.1f} s to build  used {used}  {about}")
        print(f"{engine}: {len(cache.entries())} in {cache.folder}")


@app.command()
def clear(
    engine: Annotated[EngineName, typer.Option(help="Only this engine's.")] = EngineName.AUTO,
) -> None:
    """Remove what is compiled; it is built again when needed."""
    from inpaint_model import UserError
    from inpaint_model.cache import CompiledCache

    if engine is not EngineName.AUTO and engine.value not in _KEPT:
        raise UserError(f"engine {engine.value} keeps nothing compiled")
    for name in _KEPT if engine is EngineName.AUTO else (engine.value,):
        print(f"{name}: {CompiledCache(name).clear()} removed")


@app.command()
def export(
    triton: Annotated[Path, typer.Option(help="Triton model repository to write into.")],
    model: Annotated[list[str] | None, typer.Option(help="Model; repeat; fast and paper.")] = None,
    kind: Annotated[
        TritonFormat, typer.Option("--format", help="onnx, or plan: a TensorRT engine.")
    ] = TritonFormat.ONNX,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace models there.")] = False,
) -> None:
    """Write a model repository for NVIDIA's Triton Inference Server."""
    from inpaint_model.artefacts import find_artefact
    from inpaint_model.triton import export_repository

    for name in model or ["fast", "paper"]:
        artefact = find_artefact(name)
        path = export_repository(artefact, triton, kind.value, overwrite=overwrite)
        say(f"{path}: {kind.value}, serve it with tritonserver --model-repository={triton}")


def _build_tensorrt(model: str, cards: list[str]) -> None:
    from inpaint_model.artefacts import find_artefact
    from inpaint_model.engines.tensorrt.engine import TensorRtEngine

    for path in TensorRtEngine().build_ahead(find_artefact(model), cards):
        say(f"{model}: {path}")
