"""One sitting of a judge: which face is asked about, and how, and what was answered."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

import cv2

from benchmarks.judging.cases import Case

Answers = dict[str, tuple[str, ...]]
"""What was said of a face, by question."""
CLEAN, RIGHT = "clean", "right"
FAULTS = ("line", "halo", "leftover", "other")


@dataclass(frozen=True)
class Question:
    """What is asked about a face.

    Attributes:
        name: of the question, as in `Judgement.answers`.
        text: what the page asks.
        answers: the answers with the key of each.
        several: several of these answers may be given together; the others stand alone.
    """

    name: str
    text: str
    answers: Mapping[str, str]
    several: tuple[str, ...] = ()

    def allows(self, answers: Sequence[str]) -> bool:
        """Tell whether this is one answer, or several of those that may be given together."""
        if len(answers) == 1:
            return answers[0] in self.answers
        return len(answers) == len(set(answers)) > 1 and set(answers) <= set(self.several)


GLANCE = Question(
    "glance", "At a glance: is the face in the second picture right?", {RIGHT: "1", "wrong": "2"}
)
FULL = Question(
    "full",
    "At full size: what gives it away?",
    {CLEAN: "1", **{fault: str(key) for key, fault in enumerate(FAULTS, 2)}},
    FAULTS,
)
CHOICE = Question("choice", "Which result is better?", {"left": "1", "equal": "2", "right": "3"})
_MODELS = ("first", "second")


class Session:
    """Asks about faces one by one. Its methods may be called from several threads.

    Args:
        cases: the faces, in the order in which they are asked about.
        keep: is told what was answered about a face, as soon as the last question is answered.
        undo: is told when such an answer is taken back.
        before: faces that were judged in an earlier sitting; the page counts them.

    With two models the order of their results is drawn for each face, and only this object knows it.
    """

    def __init__(
        self,
        cases: Sequence[Case],
        keep: Callable[[Case, Answers], None],
        undo: Callable[[Case, Answers], None],
        before: int = 0,
    ) -> None:
        self._cases, self._keep, self._undo, self._before = cases, keep, undo, before
        self._questions = (GLANCE, FULL)
        if cases and len(cases[0].results) > 1:
            self._questions = (CHOICE,)
        lot = random.SystemRandom()
        self._orders = [lot.sample(range(len(one.results)), len(one.results)) for one in cases]
        self._answers: list[Answers] = [{}]  # of each face so far, the last one being asked about
        self._lock = Lock()

    def state(self) -> dict[str, object]:
        """Return what the page has to show, for JSON."""
        with self._lock:
            return self._state()

    def answer(self, number: int, question: str, answers: Sequence[str]) -> dict[str, object]:
        """Take an answer and return the new state; one that is not to the present question is ignored.

        Args:
            number: of the face, from 0.
            question: its name.
            answers: one or several.
        """
        with self._lock:
            asked = self._asked()
            if asked and (number, question) == (self._number, asked.name) and asked.allows(answers):
                self._answers[-1][asked.name] = tuple(answers)
                if self._asked() is None:
                    self._keep(self._cases[number], self._named(number))
                    self._answers.append({})
            return self._state()

    def take_back(self) -> dict[str, object]:
        """Ask the last answered question again; return the new state."""
        with self._lock:
            if not self._answers[-1] and self._number > 0:
                self._answers.pop()
                self._undo(self._cases[self._number], self._named(self._number))
            if self._answers[-1]:
                self._answers[-1].popitem()
            return self._state()

    def picture(self, number: int, question: str) -> bytes | None:
        """Encode the picture of a question as PNG; None where there is none."""
        if not 0 <= number < len(self._cases):
            return None
        case, order = self._cases[number], self._orders[number]
        if question not in (one.name for one in self._questions):
            return None
        if question == CHOICE.name:
            picture = case.results_at_full_size(order)
        else:
            picture = case.at_a_glance() if question == GLANCE.name else case.at_full_size()
        return cv2.imencode(".png", picture)[1].tobytes()

    @property
    def _number(self) -> int:
        return len(self._answers) - 1

    def _asked(self) -> Question | None:
        """The present question; None once all is answered."""
        if self._number >= len(self._cases):
            return None
        return next((one for one in self._questions if one.name not in self._answers[-1]), None)

    def _state(self) -> dict[str, object]:
        total, asked = self._before + len(self._cases), self._asked()
        if asked is None:
            return {"done": True, "total": total}
        return {
            "done": False,
            "number": self._number,
            "shown": self._before + self._number + 1,
            "total": total,
            "question": asked.name,
            "text": asked.text,
            "answers": asked.answers,
            "several": asked.several,
            "picture": f"picture/{self._number}/{asked.name}",
        }

    def _named(self, number: int) -> Answers:
        """The answers about a face; sides are replaced by the models that stood there."""
        answers = self._answers[number]
        if CHOICE.name not in answers:
            return dict(answers)
        sides = dict(zip(("left", "right"), self._orders[number], strict=True))
        (side,) = answers[CHOICE.name]
        return {CHOICE.name: (_MODELS[sides[side]] if side in sides else side,)}
