"""The Pareto front of protocols: what each is expected to do, what it asks, and the arithmetic behind it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from biflora.twin.bands import TIE
from biflora.twin.forecast import Assumption
from biflora.twin.protocols import Protocol
from biflora.values import Band, Record, Value

Array = NDArray[np.float64]


class ProtocolFound(Value):
    """One protocol, what it is expected to do, and what it asks. Mean SCORAD: area under SCORAD per week."""

    label: str
    protocol: Protocol
    mean_scorad: float
    """Expected area under SCORAD over the horizon, per week, in points."""
    standard_error: float
    """Of `mean_scorad`, by the number of simulated patients."""
    interval: Band
    """The area's distribution over patients like this one and over possible populations."""
    difference: float
    """To standard care, in the same patients; below zero is better."""
    difference_interval: Band
    difference_population_share: float
    """Part of the difference's variance that lies between possible populations, and not between patients."""
    probability_better_than_care: float
    burden_points: float
    """Points of severity per week that the benefit must outweigh."""
    cost_usd_per_week: float
    steroid_weeks: float
    """Expected weeks of the horizon in which a steroid is due."""
    net_gain: float
    """Points gained over standard care less the points of burden beyond it."""
    probability_better_than_next: float | None = None
    """Than the next protocol of the front, which does less and asks less; None for the last one."""
    probability_differs_from_next: float | None = None
    """By more than the smallest important difference."""
    separable_from_next: bool | None = None
    stops_at_week: int | None = None
    """From when on nothing but standard care is given; None when something is given to the end."""
    gain_at_stop: float | None = None
    """Points below standard care at that week, and at the horizon: what a relapse takes back."""
    gain_at_horizon: float
    scorad_by_week: tuple[Band, ...]
    """The latent course from week 0 to the horizon, over patients and populations."""
    difference_gut_link_off: float
    difference_interval_gut_link_off: Band


class Protocols(Record):
    """The Pareto front, best benefit first, and what the search rests on."""

    horizon: int
    front: tuple[ProtocolFound, ...]
    standard_care: ProtocolFound
    stopped: ProtocolFound | None = None
    """The best protocol of the front given for twelve weeks and no longer: what a relapse looks like. None where
    the horizon ends before, or where nothing but standard care is on the front."""
    proposed: str
    """Label of the protocol that asks least among those that cannot be separated from the best one."""
    answer: str
    smallest_difference: float
    """Points of SCORAD."""
    separable_from: float
    """Probability from which two protocols count as separated."""
    order_gut_link_off: tuple[str, ...]
    """Labels of the front, best first, with the gut link off."""
    order_changes_gut_link_off: bool
    research: bool
    candidates: int
    patients: int
    simulations: int
    """Simulated courses of the search, and of the front without the gut link."""
    informed_by: tuple[str, ...] = ()
    not_informed: tuple[str, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    population: str = ""
    seed: int = 0


def thinned_front(points: Array, step: Array) -> list[int]:
    """Places of `points` (n, objective; less is better) that nothing beats, one in each box of size `step`.

    A box is left out when another one is at least as good in every objective; within a box the point of the
    smallest sum of steps stands for it. So no point beats one that is kept. Sorted by the first objective.
    """
    boxes = np.floor(points / step)
    inside = (points / step).sum(axis=1)
    order = np.lexsort((inside, *boxes.T[::-1]))
    kept: list[int] = []
    for place in order.tolist():
        if not any(bool(np.all(boxes[other] <= boxes[place])) for other in kept):
            kept.append(place)
    return sorted(kept, key=lambda place: tuple(points[place]))


def area(scorad: Array) -> Array:
    """Area under the weekly course (patient, week) by straight lines, per week: a mean score in points."""
    return np.asarray((0.5 * (scorad[:, 1:] + scorad[:, :-1])).mean(axis=1))


def better(one: Array, other: Array) -> float:
    """Probability that `one` is lower than `other` in the same patient; equal ones count half."""
    gap = one - other
    return float(np.mean(gap < -TIE) + 0.5 * np.mean(np.abs(gap) <= TIE))


def population_share(values: Array, members: NDArray[np.int64]) -> float:
    """Part of the variance that lies between groups (one-way analysis of variance, not below zero)."""
    groups, place, sizes = np.unique(members, return_inverse=True, return_counts=True)
    n, k = len(values), len(groups)
    if k < 2 or n <= k or not float(np.var(values)) > 0.0:
        return 0.0
    means = np.bincount(place, weights=values) / sizes
    within = float(np.sum((values - means[place]) ** 2)) / (n - k)
    between = float(np.sum(sizes * (means - values.mean()) ** 2)) / (k - 1)
    each = (n - float(np.sum(sizes**2)) / n) / (k - 1)
    variance = max((between - within) / each, 0.0)
    return variance / (variance + within)
