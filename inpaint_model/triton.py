"""Writes a model repository for NVIDIA's Triton Inference Server, to serve many streams from one GPU."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Literal

from inpaint_model.artefacts import Generator
from inpaint_model.errors import UserError

Format = Literal["onnx", "plan"]
MAX_BATCH_SIZE = 64  # crops
_PLATFORMS = {"onnx": ("onnxruntime_onnx", "model.onnx"), "plan": ("tensorrt_plan", "model.plan")}
_CONFIG = """\
# A face-inpainting generator of unmask-video: bytes in, bytes out, composited.
# What it draws in the holes is invented by a model.
name: "{name}"
platform: "{platform}"
max_batch_size: {max_batch}
input [
  {{ name: "crops" data_type: TYPE_UINT8 dims: [ 128, 128, 3 ] }},
  {{ name: "holes" data_type: TYPE_UINT8 dims: [ 128, 128 ] }}
]
output [
  {{ name: "filled" data_type: TYPE_UINT8 dims: [ 128, 128, 3 ] }}
]
dynamic_batching {{
  preferred_batch_size: [ 4, 16, {max_batch} ]
  max_queue_delay_microseconds: {delay_us}
}}
instance_group [ {{ count: 1 kind: {kind} }} ]
model_warmup [
  {{
    name: "one crop"
    batch_size: 1
    inputs {{
      key: "crops"
      value: {{ data_type: TYPE_UINT8 dims: [ 128, 128, 3 ] random_data: true }}
    }}
    inputs {{
      key: "holes"
      value: {{ data_type: TYPE_UINT8 dims: [ 128, 128 ] random_data: true }}
    }}
  }}
]
parameters {{ key: "model_sha256" value: {{ string_value: "{sha256}" }} }}
"""


def export_repository(
    generator: Generator,
    folder: Path,
    kind: Format = "onnx",
    *,
    queue_delay_us: int = 2000,
    overwrite: bool = False,
) -> Path:
    """Write `FOLDER/unmask_NAME` with `config.pbtxt` and version 1 of the model.

    Args:
        generator: the model.
        folder: the repository; created if absent. Other models in it stay.
        kind: "onnx" runs on any machine by Triton's ONNX Runtime backend; "plan" is a TensorRT
            engine for the GPU that is here, of 1 to 64 crops.
        queue_delay_us: how long the server may delay a crop to fill a batch, in microseconds.
        overwrite: replace this model if it exists.

    Returns:
        The model's folder.

    Raises:
        UserError: the model's folder exists or cannot be written, or the plan cannot be built.
    """
    name = f"unmask_{generator.name}"
    target = folder / name
    if target.exists() and not overwrite:
        raise UserError(f"{target}: exists; --overwrite replaces it")
    file = generator.open()
    platform, model_name = _PLATFORMS[kind]
    content = file.path.read_bytes() if kind == "onnx" else _build_plan(file.path.read_bytes())
    config = _CONFIG.format(
        name=name,
        platform=platform,
        max_batch=MAX_BATCH_SIZE,
        delay_us=queue_delay_us,
        kind="KIND_GPU" if kind == "plan" else "KIND_AUTO",
        sha256=file.sha256,
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=f".{name}-") as aside:
            built = Path(aside) / name
            (built / "1").mkdir(parents=True)
            (built / "1" / model_name).write_bytes(content)
            (built / "config.pbtxt").write_text(config, encoding="utf-8")
            if target.exists():
                shutil.move(target, Path(aside) / "before")
            built.replace(target)
    except OSError as error:
        raise UserError(f"{target}: cannot be written ({error.strerror or error})") from None
    return target


def _build_plan(onnx: bytes) -> bytes:
    """Build a TensorRT engine for any batch size up to the largest, as Triton passes them on."""
    from inpaint_model.engines.cuda.driver import find_gpu
    from inpaint_model.engines.tensorrt.builder import Profile, build
    from inpaint_model.engines.tensorrt.library import TensorRtMissing, import_tensorrt

    try:
        library = import_tensorrt()
    except TensorRtMissing as error:
        raise UserError(f"a plan cannot be built: {error}") from None
    if library.rtx:
        raise UserError(
            "a plan cannot be built: Triton runs engines of TensorRT, and TensorRT for RTX is what "
            "is installed; pip install tensorrt, or --format onnx"
        )
    state = find_gpu()
    if state.gpu is None:
        raise UserError(f"a plan cannot be built: {state.problem}; --format onnx needs no GPU")
    return build(library, onnx, profiles=[Profile(1, 16, MAX_BATCH_SIZE)]).plan
