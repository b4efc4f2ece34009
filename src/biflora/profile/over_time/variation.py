"""How much one person's samples differ, measured on a cohort: where the rows of typical variation come from."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

S = TypeVar("S")


@dataclass(frozen=True)
class Repeated(Generic[S]):
    """One of several samples of a person."""

    person: str
    day: float
    value: S


@dataclass(frozen=True)
class Variation:
    """Differences between two samples of one person, each person counted alike however many samples she gave."""

    sd: float
    median: float
    limit95: float
    persons: int
    pairs: int


def log10_odds(share: float) -> float:
    """log10 of a taxon over all others, from its share; a log-ratio, so blind to what the others do to the sum."""
    return math.log10(share / (1 - share)) if 0 < share < 1 else math.copysign(math.inf, share - 0.5)


def odds_change(floor: float) -> Callable[[float, float], float | None]:
    """The change of the log10 odds, shares below `floor` counted as it; None when both are below."""

    def change(earlier: float, later: float) -> float | None:
        if max(earlier, later) <= floor:
            return None
        inside = [min(max(share, floor), 1 - floor) for share in (earlier, later)]
        return log10_odds(inside[1]) - log10_odds(inside[0])

    return change


def within_person(
    samples: Sequence[Repeated[S]],
    change: Callable[[S, S], float | None],
    *,
    days_low: float,
    days_high: float,
) -> Variation | None:
    """The variation over all pairs of a person's samples that lie so many days apart; None without any pair."""
    people: dict[str, list[Repeated[S]]] = {}
    for sample in sorted(samples, key=lambda each: each.day):
        people.setdefault(sample.person, []).append(sample)
    changes: list[float] = []
    weights: list[float] = []
    persons = 0
    for own in people.values():
        mine = [
            difference
            for i, first in enumerate(own)
            for second in own[i + 1 :]
            if days_low <= second.day - first.day <= days_high
            and (difference := change(first.value, second.value)) is not None
        ]
        changes += mine
        weights += [1 / max(len(mine), 1)] * len(mine)
        persons += bool(mine)
    if not changes:
        return None
    size, weight = np.abs(np.array(changes)), np.array(weights)
    order = np.argsort(size)
    reached = np.cumsum(weight[order]) / weight.sum()

    def quantile(part: float) -> float:
        return float(size[order][min(int(np.searchsorted(reached, part - 1e-12)), len(size) - 1)])

    return Variation(
        sd=math.sqrt(float((weight * size**2).sum() / weight.sum())),
        median=quantile(0.5),
        limit95=quantile(0.95),
        persons=persons,
        pairs=len(changes),
    )


def bray_curtis(earlier: dict[str, float], later: dict[str, float]) -> float:
    """Bray-Curtis distance of two samples' shares by taxon, each summing to 1: one minus what they share."""
    common = sum(min(share, later[name]) for name, share in earlier.items() if name in later)
    return 1.0 - 2 * common / (sum(earlier.values()) + sum(later.values()))
