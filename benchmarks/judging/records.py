"""The file of judgements: one JSON line for each face that was judged, and one for each look."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from inpaint_model.errors import UserError

PICTURES, FIGURES = "pictures", "figures"
"""What is looked at: the results on a collection, or only the figures of earlier judgements."""
_JUDGED, _UNDONE, _LOOK = "judged", "undone", "look"


@dataclass(frozen=True)
class Judgement:
    """What a judge said of a face.

    Attributes:
        collection, file, frame, box: the face, as in `Case`.
        digest: of the pictures that were shown.
        networks: the SHA-256 of each network by its name.
        against: the second model's networks; None where one model was judged.
        judge: who judged.
        time: when, as ISO 8601 with the offset to UTC.
        answers: by question. "glance": right or wrong; "full": clean, or the faults seen; "choice": first,
            second or equal, which of two models is better.
    """

    collection: str
    file: str
    frame: int
    box: tuple[int, ...]
    digest: str
    networks: Mapping[str, str]
    against: Mapping[str, str] | None
    judge: str
    time: str
    answers: Mapping[str, tuple[str, ...]]

    @property
    def day(self) -> str:
        """The day on which it was judged, YYYY-MM-DD."""
        return self.time[:10]

    @property
    def shown(self) -> tuple[str, str, int, str]:
        """What was judged: the place of the face, and its pictures."""
        return self.collection, self.file, self.frame, self.digest

    @property
    def models(self) -> str:
        """The networks of the model, or of both, as text to sort and compare by."""
        return json.dumps([self.networks, self.against], sort_keys=True)


class JudgementFile:
    """A file that judgements are added to at once, so that a stop loses none.

    Args:
        path: the file; it need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, judgement: Judgement) -> None:
        """Add a judgement; it takes the place of an earlier one of the same pictures, judge and day."""
        self._append({"kind": _JUDGED, **asdict(judgement)})

    def undo(self, judgement: Judgement) -> None:
        """Take a judgement back."""
        self._append({"kind": _UNDONE, **asdict(judgement)})

    def add_looks(self, what: str, judgements: Iterable[Judgement]) -> None:
        """Note a look, now, at each collection that these are of.

        Args:
            what: `PICTURES` or `FIGURES`.
            judgements: of the faces that are looked at.
        """
        looks = {(one.collection, one.models): one for one in judgements}
        for one in looks.values():
            values = {"collection": one.collection, "networks": one.networks}
            self._append({"kind": _LOOK, "at": what, **values, "time": now()})

    def judgements(self) -> list[Judgement]:
        """Read the judgements that count, in the order in which they were made.

        Raises:
            UserError: a line is none of this file's.
        """
        kept: dict[object, Judgement] = {}
        for line in self._lines(_JUDGED, _UNDONE):
            one = self._judgement(line)
            key = (one.shown, one.models, one.judge, one.day)
            kept.pop(key, None)
            if line["kind"] == _JUDGED:
                kept[key] = one
        return list(kept.values())

    def looks(self) -> dict[str, Counter[str]]:
        """Count the looks at each collection's pictures, and at its figures alone.

        Raises:
            UserError: a line is none of this file's.
        """
        lines = self._lines(_LOOK)
        return {
            what: Counter(line.get("collection", "") for line in lines if line.get("at") == what)
            for what in (PICTURES, FIGURES)
        }

    def _judgement(self, line: dict[str, Any]) -> Judgement:
        try:
            values = {field.name: line[field.name] for field in fields(Judgement)}
            answers = {question: tuple(said) for question, said in values["answers"].items()}
            return Judgement(**values | {"box": tuple(values["box"]), "answers": answers})
        except (KeyError, TypeError, AttributeError):
            raise UserError(f"{self.path}: a judgement in it lacks a value") from None

    def _lines(self, *kinds: str) -> list[dict[str, Any]]:
        if not self.path.exists():
            return []
        lines = []
        for number, text in enumerate(self.path.read_text(encoding="utf-8").splitlines(), 1):
            try:
                line = json.loads(text)
                if line["kind"] in kinds:
                    lines.append(line)
            except (ValueError, TypeError, KeyError):
                raise UserError(f"{self.path}, line {number}: is no judgement") from None
        return lines

    def _append(self, line: Mapping[str, object]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def now() -> str:
    """Return the local time as ISO 8601 with the offset to UTC, to the second."""
    return datetime.now().astimezone().isoformat(timespec="seconds")
