"""The command `evaluate`: opens a generator, chooses faces, measures, and writes the report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
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
from trainer.runs import RunFolder

_SPLITS = ("train", "val", "test")


def run(
    data: Sequence[Path],
    out: Path,
    *,
    run: Path | None = None,
    model: str | None = None,
    engine: str = "auto",
    split: str = "val",
    sources: Sequence[str] = (),
    faces_per_source: int = 0,
    protocols: Sequence[str] = (),
    recogniser: Path | None = None,
    identity: bool = True,
    seed: int = 7,
) -> str:
    """Evaluate a run or a model and write the report; return its Markdown.

    Args:
        data: prepared files.
        out: folder of `evaluation.json`, `evaluation.md` and the sheets.
        run: folder of a fit, whose averaged weights are evaluated; the raw picture is measured too.
        model: "fast", "paper" or the path of an ONNX file, evaluated as the product runs it.
        engine: what runs `model`.
        split, sources: which faces; no source named means all.
        faces_per_source: at most this many of each source, drawn with the seed; 0 takes all.
        protocols: none named means both.
        recogniser: folder of the recogniser's weights, for the perceptual distance.
        identity: measure identity, where dlib is installed.
        seed: of the choice of faces and of the holes.

    Raises:
        UserError: not exactly one of `run` and `model`, an unknown name, no face, missing weights.
    """
    if (run is None) == (model is None):
        raise UserError("name what to evaluate: either --run DIR or --model NAME, and not both")
    wanted = _protocols(protocols)
    if split not in _SPLITS:
        raise UserError(f"no such split: {split} (take {', '.join(_SPLITS)})")
    features = load_recogniser(find_recogniser(recogniser)) if recogniser else None
    judge = _identity() if identity else None
    with _open(run, model, engine) as (generator, about):
        faces = choose_faces(faceset.load(data).canonical(), split, sources, faces_per_source, seed)
        evaluated = []
        for protocol in wanted:
            print(f"{protocol}: {len(faces)} faces", flush=True)
            evaluated.append(
                evaluate(generator, faces, protocol, seed=seed, recogniser=features, identity=judge)
            )
    settings = {
        **about,
        "data": [str(path) for path in data],
        "split": split,
        "sources": sorted({str(source) for source in faces.source}),
        "faces": len(faces),
        "faces_per_source": faces_per_source,
        "protocols": list(wanted),
        "seed": seed,
        "perceptual": features is not None,
        "identity_sha256": MODEL_SHA256 if judge else None,
    }
    text = write_report(out, settings, evaluated, faces)
    return f"{text}\nwrote {out}"


def choose_faces(
    faces: FaceSet, split: str, sources: Sequence[str], per_source: int, seed: int
) -> FaceSet:
    """Return a split's faces, of each source at most so many, drawn at random, in their order.

    Raises:
        UserError: a named source has no face in the split, or the split is empty.
    """
    if per_source < 0:
        raise UserError(f"--faces must be 0 or more, not {per_source}")
    chosen = faces.only(split)
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
def _open(
    run: Path | None, model: str | None, engine: str
) -> Iterator[tuple[Generator, dict[str, Any]]]:
    """Open what is to be evaluated, with what the report says of it."""
    if run is not None:
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
    with open_inpainter(model or "fast", engine) as inpainter:
        about = {
            "what": f"model {inpainter.model} ({inpainter.engine}, {inpainter.precision})",
            "model": inpainter.model,
            "engine": inpainter.engine,
            "precision": inpainter.precision,
            "model_sha256": inpainter.model_sha256,
        }
        yield from_inpainter(inpainter), about
