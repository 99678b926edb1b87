"""The commands `unmask engine …`: compile models ahead of time, list, clear and export them."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from realtime.cli import options as opts
from realtime.runtime.console import print_result, print_status

app = typer.Typer(
    help="Compiled engines: build, list, clear, export.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


class TritonFormat(StrEnum):
    """The file format of a model in a Triton repository."""

    ONNX = "onnx"
    PLAN = "plan"


_CACHING_ENGINES = ("openvino", "tensorrt")


@app.command()
def build(
    model: opts.Models = None,
    engine: opts.Engine = opts.EngineName.AUTO,
    cards: Annotated[
        list[str] | None,
        typer.Option(
            "--for",
            metavar="ARCHITECTURE",
            help="Build for this GPU, as sm_86; may be repeated. TensorRT for RTX only.",
        ),
    ] = None,
) -> None:
    """Compile models now instead of at their first use."""
    from inpaint_model import UserError, open_inpainter

    if cards and engine not in (opts.EngineName.AUTO, opts.EngineName.TENSORRT):
        raise UserError(f"--for is for engine tensorrt, not {engine.value}")
    for name in model or ["fast", "paper"]:
        if cards or engine is opts.EngineName.TENSORRT:
            _build_tensorrt(name, cards or [])
            continue
        began = time.monotonic()
        with open_inpainter(name, engine.value) as inpainter:
            for warning in inpainter.warnings:
                print_status(f"note: {warning}")
            print_status(
                f"{inpainter.model}: ready in {time.monotonic() - began:.1f} s, {inpainter.reason}"
            )


@app.command("list")
def list_() -> None:
    """List the compiled models, the last used first."""
    from inpaint_model.cache import CompiledCache

    for engine in _CACHING_ENGINES:
        cache = CompiledCache(engine)
        for entry in cache.entries():
            used = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.used_s))
            key = [entry.key.get(name, "") for name in ("model", "precision", "device")]
            summary = ", ".join(filter(None, [*key, entry.key.get("library", "")]))
            size = f"{entry.size_bytes / 1e6:6.1f} MB"
            print_result(
                f"{engine:10} {size}  {entry.build_s:6.1f} s to build  used {used}  {summary}"
            )
        print_result(f"{engine}: {len(cache.entries())} in {cache.folder}")


@app.command()
def clear(
    engine: Annotated[
        opts.EngineName, typer.Option(help="Clear only this engine.")
    ] = opts.EngineName.AUTO,
) -> None:
    """Remove the compiled models; they are compiled again when needed."""
    from inpaint_model import UserError
    from inpaint_model.cache import CompiledCache

    if engine is not opts.EngineName.AUTO and engine.value not in _CACHING_ENGINES:
        raise UserError(f"engine {engine.value} caches no compiled models")
    for name in _CACHING_ENGINES if engine is opts.EngineName.AUTO else (engine.value,):
        print_result(f"{name}: {CompiledCache(name).clear()} removed")


@app.command()
def export(
    triton: Annotated[Path, typer.Option(help="The Triton model repository to write to.")],
    model: opts.Models = None,
    kind: Annotated[
        TritonFormat, typer.Option("--format", help="onnx, or plan: a TensorRT engine.")
    ] = TritonFormat.ONNX,
    overwrite: opts.Overwrite = False,
) -> None:
    """Write a model repository for NVIDIA's Triton Inference Server."""
    from inpaint_model.artefacts import find_generator
    from inpaint_model.triton import export_repository

    for name in model or ["fast", "paper"]:
        generator = find_generator(name)
        path = export_repository(generator, triton, kind.value, overwrite=overwrite)
        print_status(
            f"{path}: {kind.value}, serve it with tritonserver --model-repository={triton}"
        )


def _build_tensorrt(model: str, cards: list[str]) -> None:
    from inpaint_model.artefacts import find_generator
    from inpaint_model.engines.tensorrt.engine import TensorRtEngine

    for path in TensorRtEngine().build_ahead(find_generator(model), cards):
        print_status(f"{model}: {path}")
