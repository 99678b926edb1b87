"""Writes the metadata into a TFLite file that MediaPipe Image Segmenter needs."""

from __future__ import annotations

import importlib
import io
import sys
import types
import zipfile
from collections.abc import Sequence

from mediapipe.tasks.metadata import schema_py_generated as schema

from trainer.export.tflite_graph import serialise

_PARSER_VERSION = "1.5.0"


def add_metadata(model: bytes, mean: float, deviation: float, labels: Sequence[str] = ()) -> bytes:
    """Add what MediaPipe Image Segmenter asks for, as MediaPipe's own writer does.

    Args:
        model: a TFLite file.
        mean, deviation: the network expects levels less the one, over the other.
        labels: names of the network's output channels.
    """
    _stand_in_for_parser_version()
    from mediapipe.tasks.python.metadata.metadata_writers import image_segmenter, metadata_writer

    names = metadata_writer.Labels().add(list(labels)) if labels else None
    writer = image_segmenter.MetadataWriter.create(bytearray(model), [mean], [deviation], names)
    content, _ = writer.populate()
    return _align_buffers(bytes(content))


def _align_buffers(content: bytes) -> bytes:
    """Align the buffers and remove the time, so that one network gives one file."""
    file = io.BytesIO(serialise(schema.ModelT.InitFromPackedBuf(content)))
    with zipfile.ZipFile(io.BytesIO(content)) as written, zipfile.ZipFile(file, "a") as settled:
        for entry in written.infolist():
            settled.writestr(zipfile.ZipInfo(entry.filename), written.read(entry))
    return file.getvalue()


def _stand_in_for_parser_version() -> None:
    """Replace a compiled module that MediaPipe 1.2 imports for one string and does not ship."""
    name = "mediapipe.tasks.cc.metadata.python"
    try:
        importlib.import_module(f"{name}._pywrap_metadata_version")
        return
    except ModuleNotFoundError:
        if name in sys.modules:
            return
    stand_in = types.ModuleType("_pywrap_metadata_version")
    stand_in.__dict__["GetMinimumMetadataParserVersion"] = lambda _: _PARSER_VERSION
    package = types.ModuleType(name)
    package.__dict__["_pywrap_metadata_version"] = stand_in
    for parent in ("mediapipe.tasks.cc", "mediapipe.tasks.cc.metadata"):
        sys.modules.setdefault(parent, types.ModuleType(parent))
    sys.modules[name] = package
