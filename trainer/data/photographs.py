"""Lists photographs of faces: LFW, CelebA, any other folder, or as a manifest says."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path

from inpaint_model.errors import UserError

_PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".webp"}
_VAL_SHARE = 0.05  # of the people (or photographs) without a given split
_CELEBA_SPLITS = {"0": "train", "1": "val", "2": "test"}


@dataclass(frozen=True)
class Photo:
    """One photograph to prepare, with its data set, split and person."""

    path: Path
    source: str
    split: str
    identity: str


def find_photos(folder: Path, manifest: Path | None = None) -> list[Photo]:
    """List a folder's photographs.

    Known layouts: LFW (`Name/Name_0001.jpg`: split by person), CelebA (`img_align_celeba/*.jpg` with
    `list_eval_partition.txt` and `identity_CelebA.txt` beside it), and any other folder (split by a
    hash of the file name). A manifest, CSV with `path,source,split,identity`, overrides the layout.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder of faces")
    listed = _read_manifest(manifest) if manifest else {}
    partition = _read_pairs(folder, "list_eval_partition.txt")
    people = _read_pairs(folder, "identity_CelebA.txt")
    photos = []
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in _PICTURES):
        known = listed.get(path.resolve())
        if known:
            photos.append(Photo(path, known["source"], known["split"], known["identity"]))
            continue
        named_folder = path.parent.name if path.stem.startswith(path.parent.name + "_") else ""
        identity = people.get(path.name, named_folder)
        split = _CELEBA_SPLITS.get(partition.get(path.name, ""))
        split = split or _split_by_hash(identity or path.name)
        photos.append(Photo(path, folder.name, split, identity))
    if not photos:
        raise UserError(f"{folder}: holds no picture")
    return photos


def _read_manifest(path: Path) -> dict[Path, dict[str, str]]:
    if not path.is_file():
        raise UserError(f"{path}: no such manifest")
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"path", "source", "split", "identity"} <= rows[0].keys():
        raise UserError(f"{path}: a manifest is CSV with the columns path,source,split,identity")
    return {(path.parent / row["path"]).resolve(): row for row in rows}


def _read_pairs(folder: Path, name: str) -> dict[str, str]:
    """Read one of CelebA's two-column lists, in the folder or its parent."""
    for place in (folder, folder.parent, folder / "Eval", folder.parent / "Eval"):
        if (place / name).is_file():
            lines = (place / name).read_text(encoding="utf-8").split("\n")
            return {parts[0]: parts[1] for line in lines if len(parts := line.split()) == 2}
    return {}


def _split_by_hash(key: str) -> str:
    share = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") / 2**32
    return "val" if share < _VAL_SHARE else "train"
