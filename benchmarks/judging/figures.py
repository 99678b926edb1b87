"""Computes what the judgements say: shares with their intervals, agreement of passes, faults, choices."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from benchmarks.judging.records import Judgement
from benchmarks.judging.session import CHOICE, CLEAN, FAULTS, FULL, GLANCE, RIGHT
from benchmarks.tables import Row

_AT_FULL_SIZE = "clean at full size"
FIGURES = {"right at a glance": (GLANCE.name, RIGHT), _AT_FULL_SIZE: (FULL.name, CLEAN)}
"""Each figure's question, and the answer that counts."""
ALL = "all"
_CONFIDENCE = 0.95
Part = Sequence[Judgement]
Looks = Mapping[str, Mapping[str, int]]
"""How often each collection was looked at, by what was seen (`JudgementFile.looks`)."""


def shares(judgements: Part, looks: Looks) -> list[Row]:
    """Compute the share of each figure, by model and collection.

    A pass is what one judge said on one day. Of the passes over the most faces the one with the lowest
    share counts.

    Args:
        judgements: of the two questions.
        looks: at each collection; those of all collections together are not given.

    Returns:
        Rows with the share, the ends of its 95 % Wilson interval, and the share of faces of which the last
        two such passes say the same.
    """
    rows = []
    for networks, collection, part in _groups(judgements):
        passes = _whole_passes(part)
        for figure in FIGURES:
            by_pass = [_share(figure, one) for one in passes]
            share = min(by_pass)
            low, high = wilson(round(share * len(passes[0])), len(passes[0]))
            rows.append(
                {
                    "networks": networks,
                    "collection": collection,
                    "figure": figure,
                    "faces": len(passes[0]),
                    "share": share,
                    "low": low,
                    "high": high,
                    "passes": ", ".join(f"{one:.0%}" for one in by_pass),
                    "agree": _agreement(figure, passes),
                    **_looks_at(collection, looks),
                }
            )
    return rows


def faults(judgements: Part) -> list[Row]:
    """Count the faults at full size, by model and collection, in the pass that counts."""
    rows = []
    for networks, collection, part in _groups(judgements):
        strictest = min(_whole_passes(part), key=lambda one: _share(_AT_FULL_SIZE, one))
        seen = Counter(fault for one in strictest for fault in one.answers[FULL.name])
        counts = {fault: seen[fault] for fault in FAULTS}
        rows.append(
            {"networks": networks, "collection": collection, "faces": len(strictest), **counts}
        )
    return rows


def choices(judgements: Part, looks: Looks) -> list[Row]:
    """Count which of two models is better, by collection; faces judged on several days count each time.

    Returns:
        Rows with the second model's share of the faces that were decided, and its 95 % Wilson interval.
    """
    rows = []
    for networks, collection, part in _groups(judgements):
        said = Counter(one.answers[CHOICE.name][0] for one in part)
        decided = said["first"] + said["second"]
        low, high = wilson(said["second"], decided)
        rows.append(
            {
                "networks": networks,
                "collection": collection,
                "faces": len(part),
                "first better": said["first"],
                "equal": said["equal"],
                "second better": said["second"],
                "share of the second": said["second"] / decided if decided else float("nan"),
                "low": low,
                "high": high,
                **_looks_at(collection, looks),
            }
        )
    return rows


def wilson(hits: int, count: int) -> tuple[float, float]:
    """Return the 95 % Wilson score interval of a share; of no case at all it is 0 to 1."""
    from scipy.stats import binomtest

    if count == 0:
        return 0.0, 1.0
    interval = binomtest(hits, count).proportion_ci(_CONFIDENCE, method="wilson")
    return float(interval.low), float(interval.high)


def _groups(judgements: Part) -> list[tuple[str, str, Part]]:
    """The judgements by model and collection, and of all collections where there are several."""
    groups = []
    for of_model in _by(judgements, lambda one: one.models).values():
        both = (of_model[0].networks, of_model[0].against)
        networks = " / ".join(_short(networks) for networks in both if networks)
        by_collection = _by(of_model, lambda one: one.collection)
        groups += [(networks, name, by_collection[name]) for name in sorted(by_collection)]
        if len(by_collection) > 1:
            groups.append((networks, ALL, of_model))
    return groups


def _looks_at(collection: str, looks: Looks) -> dict[str, int | str]:
    return {
        f"looks at {what}": "" if collection == ALL else counts.get(collection, 0)
        for what, counts in looks.items()
    }


def _short(networks: Mapping[str, str]) -> str:
    """The first digits of the networks that are trained here."""
    return "+".join(networks.get(name, "?")[:6] for name in ("generator", "segmenter"))


def _whole_passes(part: Part) -> list[Part]:
    """The passes over the most faces, by day and judge."""
    passes = _by(part, lambda one: (one.day, one.judge))
    most = max(map(len, passes.values()))
    return [passes[key] for key in sorted(passes) if len(passes[key]) == most]


def _share(figure: str, part: Part) -> float:
    return sum(_holds(figure, one) for one in part) / len(part)


def _holds(figure: str, judgement: Judgement) -> bool:
    question, answer = FIGURES[figure]
    return judgement.answers[question] == (answer,)


def _agreement(figure: str, passes: Sequence[Part]) -> float | str:
    """The share of faces of which the last two passes say the same."""
    if len(passes) < 2:
        return "-"
    earlier, later = ({one.shown: _holds(figure, one) for one in part} for part in passes[-2:])
    both = earlier.keys() & later.keys()
    return sum(earlier[key] == later[key] for key in both) / len(both) if both else "-"


def _by(judgements: Iterable[Judgement], key: Callable[[Judgement], object]) -> dict:
    groups: dict[object, list[Judgement]] = {}
    for one in judgements:
        groups.setdefault(key(one), []).append(one)
    return groups
