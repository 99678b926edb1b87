"""Verification by similarity scores: AUC, TAR at a FAR, and bootstrap intervals over people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.evaluate.bootstrap import CONFIDENCE, Interval

FARS = (1e-2, 1e-3)
"""False accept rates whose true accept rates are measured; groups are measured at the first."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """Probes paired with references: all pairs but those of one photograph.

    Attributes:
        probe, reference: int64 [K], the two of each pair.
        probe_person, reference_person: int64 [K], their people's numbers.
        people: how many people there are.
    """

    probe: NDArray[np.int64]
    reference: NDArray[np.int64]
    probe_person: NDArray[np.int64]
    reference_person: NDArray[np.int64]
    people: int

    @staticmethod
    def of(people: NDArray[np.int64], photo_of_probe: NDArray[np.int64]) -> Pairs:
        """Pair probes with the bare photographs.

        Args:
            people: int64 [P], the person's number of each photograph.
            photo_of_probe: int64 [M], the photograph that each probe was made of.
        """
        others = photo_of_probe[:, None] != np.arange(len(people))
        probe, reference = np.nonzero(others)
        count = int(people.max()) + 1
        return Pairs(probe, reference, people[photo_of_probe[probe]], people[reference], count)

    @property
    def genuine(self) -> NDArray[np.bool_]:
        """Which pairs show one person, bool [K]."""
        return self.probe_person == self.reference_person


class Measured:
    """The pairs' scores, sorted once, so that resamples of people cost little.

    Args:
        pairs: the pairs.
        scores: float [M, P], the similarity of each probe and each reference.
        groups: by name, bool [M]: probes whose true accept rate at the first FAR is measured too.
    """

    def __init__(
        self, pairs: Pairs, scores: NDArray[np.floating], groups: Mapping[str, NDArray[np.bool_]]
    ) -> None:
        of_pair, same = scores[pairs.probe, pairs.reference], pairs.genuine
        self.names = ["AUC", *(f"TAR at FAR {far:g}" for far in FARS), *groups]
        self._genuine, self._person = of_pair[same], pairs.probe_person[same]
        self._members = [member[pairs.probe[same]] for member in groups.values()]
        falling = np.flatnonzero(~same)[np.argsort(-of_pair[~same], kind="stable")]
        self._impostor = of_pair[falling]
        self._people = pairs.probe_person[falling], pairs.reference_person[falling]
        # How many impostors score above each genuine pair, and above or equal.
        sides = "left", "right"
        self._above, self._not_below = (
            np.searchsorted(-self._impostor, -self._genuine, side) for side in sides
        )

    def __call__(self, weights: NDArray[np.integer]) -> NDArray[np.float64]:
        """Measure with each person drawn so many times.

        Args:
            weights: int [people]; ones measure the pairs as they are.

        Returns:
            float64, one value for each of `names`; NaN where no pair is left.
        """
        genuine = weights[self._person].astype(np.float64)
        first, second = self._people
        accepted = np.cumsum(weights[first] * weights[second], dtype=np.float64)
        total = accepted[-1] if len(accepted) else 0.0
        if not total or not genuine.sum():
            return np.full(len(self.names), np.nan)
        counts = np.concatenate([[0.0], accepted])
        beaten = total - (counts[self._above] + counts[self._not_below]) / 2
        values = [float((genuine * beaten).sum() / genuine.sum() / total)]
        # A threshold is the highest impostor's score that must be refused.
        refused = [int(np.searchsorted(accepted, far * total, "right")) for far in FARS]
        passes = [self._genuine > self._impostor[one] for one in refused]
        values += [_share(passed, genuine) for passed in passes]
        return np.array(values + [_share(passes[0], genuine * one) for one in self._members])


def _share(passed: NDArray[np.bool_], weights: NDArray[np.floating]) -> float:
    total = weights.sum()
    return float((passed * weights).sum() / total) if total else np.nan


def resampled_people(count: int, resamples: int, seed: int) -> NDArray[np.int64]:
    """Draw people with replacement: how often each comes, int64 [resamples, count]."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(count, np.full(count, 1 / count), resamples).astype(np.int64)


def interval(value: float, resamples: NDArray[np.float64]) -> Interval:
    """The percentile interval of a value over its resamples, float64 [R]; NaN are left out."""
    kept = resamples[np.isfinite(resamples)]
    if not len(kept):
        return Interval(value, np.nan, np.nan)
    low, high = np.percentile(kept, [50 * (1 - CONFIDENCE), 50 * (1 + CONFIDENCE)])
    return Interval(value, float(low), float(high))
