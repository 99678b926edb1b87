"""The command `evaluate`: opens a generator, chooses faces, measures and writes the report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from inpaint_model import open_inpainter
from inpaint_model.errors import UserError
from trainer.commands.export import load_generator
from trainer.data import face_set as faceset
from trainer.data.face_set import FaceSet
from trainer.evaluate.identity import MODEL_SHA256, Identity, load_identity
from trainer.evaluate.protocols import PROTOCOLS, Generator, evaluate, from_inpainter, from_module
from trainer.evaluate.report import write_report
from trainer.losses.recogniser import find_recogniser, load_recogniser
from trainer.options import EvaluateOptions
from trainer.runs import RunFolder

_SPLITS = ("train", "val", "test")


def run(options: EvaluateOptions) -> str:
    """Evaluate a run or a model and write the report; return its Markdown.

    Raises:
        UserError: not exactly one of `run` and `model`, an unknown name, no face, missing weights.
    """
    if (options.run is None) == (options.model is None):
        raise UserError("name what to evaluate: either --run DIR or --model NAME, and not both")
    protocols = _protocols(options.protocol or ())
    if options.split not in _SPLITS:
        raise UserError(f"no such split: {options.split} (take {', '.join(_SPLITS)})")
    folder, seed = options.recogniser, options.seed
    recogniser = load_recogniser(find_recogniser(folder)) if folder else None
    identity = _identity() if options.identity else None
    with _open(options) as (generator, about):
        faces = faceset.load(options.data).canonical()
        faces = choose_faces(faces, options.split, options.source or (), options.faces, seed)
        evaluated = []
        for protocol in protocols:
            print(f"{protocol}: {len(faces)} faces", flush=True)
            measures = {"recogniser": recogniser, "identity": identity}
            evaluated.append(evaluate(generator, faces, protocol, seed=seed, **measures))
    settings = {
        **about,
        "data": [str(path) for path in options.data],
        "split": options.split,
        "sources": sorted({str(source) for source in faces.source}),
        "faces": len(faces),
        "faces_per_source": options.faces,
        "protocols": list(protocols),
        "seed": seed,
        "perceptual": recogniser is not None,
        "identity_sha256": MODEL_SHA256 if identity else None,
    }
    text = write_report(options.out, settings, evaluated, faces)
    return f"{text}\nwrote {options.out}"


def choose_faces(
    faces: FaceSet, split: str, sources: Sequence[str], per_source: int, seed: int
) -> FaceSet:
    """Return faces of a split: at most `per_source` of each data set, drawn at random.

    Raises:
        UserError: a named source has no face in the split, or the split is empty.
    """
    if per_source < 0:
        raise UserError(f"--faces must be 0 or more, not {per_source}")
    chosen = faces.select(split)
    there = [str(source) for source in np.unique(chosen.source)]
    missing = [source for source in sources if source not in there]
    if missing or not there:
        holds = f"it holds {', '.join(there)}" if there else "it is empty"
        raise UserError(
            f"no face of {missing[0] if missing else 'any source'} in split {split}: {holds}"
        )
    keep = np.zeros(len(chosen), dtype=bool)
    rng = np.random.default_rng(seed)
    for source in sources or there:
        places = np.flatnonzero(chosen.source == source)
        keep[rng.permutation(places)[: per_source or None]] = True
    return chosen.where(keep)


def _protocols(named: Sequence[str]) -> Sequence[str]:
    for protocol in named:
        if protocol not in PROTOCOLS:
            raise UserError(f"no such protocol: {protocol} (take {' or '.join(PROTOCOLS)})")
    return list(dict.fromkeys(named)) or PROTOCOLS


def _identity() -> Identity | None:
    """Load dlib's network, or say in one line why identity is not measured."""
    try:
        return load_identity()
    except UserError as error:
        print(f"identity is not measured: {error}", flush=True)
        return None


@contextmanager
def _open(options: EvaluateOptions) -> Iterator[tuple[Generator, dict[str, Any]]]:
    """Open the run or the model, and describe it for the report."""
    if (run := options.run) is not None:
        config, (net, step) = RunFolder(run).config(), load_generator(run)
        about = {
            "what": f"run {run.name} at step {step}",
            "run": str(run),
            "preset": config.preset,
            "network": config.network,
            "step": step,
            "model_sha256": None,
        }
        yield from_module(net), about
        return
    with open_inpainter(options.model or "fast", options.engine) as inpainter:
        about = {
            "what": f"model {inpainter.model} ({inpainter.engine}, {inpainter.precision})",
            "model": inpainter.model,
            "engine": inpainter.engine,
            "precision": inpainter.precision,
            "model_sha256": inpainter.model_sha256,
        }
        yield from_inpainter(inpainter), about
