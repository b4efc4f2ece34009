"""Dealing values anew among exchangeable units: how many ways there are, all of them, or some drawn by chance."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from biflora.errors import TrialistMust
from biflora.profile.cohort.formula import Codes

Places = NDArray[np.int32]


@dataclass(frozen=True)
class Arrangements:
    """Ways to deal the values; a row says from which unit each unit gets its value."""

    places: Places
    """Shape (arrangements, units); the arrangement that was observed is not among them."""
    are_all: bool
    """True when these and the observed one are all distinct ways, so that the p-value is exact."""
    smallest_p: float
    """The smallest p-value that this design can give, however strong the effect."""


def count_distinct(labels: Codes, strata: Codes) -> int:
    """In how many distinct ways the labels can be dealt inside the strata."""
    ways = 1
    for units in _members(strata):
        counts = np.unique(labels[units], return_counts=True)[1]
        left = len(units)
        for count in counts:
            ways *= math.comb(left, int(count))
            left -= int(count)
    return ways


def count_alike(labels: Codes, strata: Codes) -> int:
    """How many ways make the same groups under other names; they give the same statistic as the observed one."""
    shape = (int(labels.max()) + 1, int(strata.max()) + 1)
    table = np.zeros(shape, dtype=np.int64)
    np.add.at(table, (labels, strata), 1)
    _, sizes = np.unique(table, axis=0, return_counts=True)
    return math.prod(math.factorial(int(size)) for size in sizes)


def deal(
    labels: Codes,
    strata: Codes,
    count: int,
    generator: np.random.Generator,
    *,
    groups: bool,
    wanted_p: float,
    what: str,
) -> Arrangements:
    """`count` arrangements by chance, or all of them where there are no more than that.

    `groups`: names of the values carry no order, so swapping them changes nothing. Raises TrialistMust when even
    the strongest effect could not reach `wanted_p`, or the values cannot move at all. `what` names the term.
    """
    ways = count_distinct(labels, strata)
    if ways == 1:
        raise TrialistMust(
            f"{what}: no value can change its place under this design (every block or subject holds one value "
            "only), so there is nothing to test. Leave the blocks out, or the term."
        )
    smallest = (count_alike(labels, strata) if groups else 1) / ways
    if smallest > wanted_p:
        raise TrialistMust(
            f"{what}: its values can be dealt in only {ways} ways, so no p-value below {smallest:.2g} is possible "
            f"and {wanted_p:g} cannot be reached. More subjects are needed; describe the groups without a test."
        )
    if ways <= count + 1:
        rows = np.array(list(_all(labels, strata)), dtype=np.int32)
        observed = (labels[rows] == labels[None, :]).all(axis=1)
        return Arrangements(rows[~observed], True, smallest)
    return Arrangements(_by_chance(strata, count, generator), False, max(smallest, 1 / (count + 1)))


def _members(strata: Codes) -> list[NDArray[np.int64]]:
    """The units of each stratum."""
    order = np.argsort(strata, kind="stable")
    return np.split(order, np.cumsum(np.bincount(strata))[:-1])


def _by_chance(strata: Codes, count: int, generator: np.random.Generator) -> Places:
    """Strata of one size are shuffled together; no stratum of one unit is touched."""
    n = strata.shape[0]
    places = np.tile(np.arange(n, dtype=np.int32), (count, 1))
    order = np.argsort(strata, kind="stable").astype(np.int32)
    sizes = np.bincount(strata)
    ends = np.cumsum(sizes)
    for size in np.unique(sizes[sizes > 1]):
        chosen = np.flatnonzero(sizes == size)
        members = order[(ends[chosen] - size)[:, None] + np.arange(size)[None, :]]
        shuffled = np.tile(members, (count, 1, 1))
        generator.permuted(shuffled, axis=2, out=shuffled)
        places[:, members.ravel()] = shuffled.reshape(count, -1)
    return places


def _all(labels: Codes, strata: Codes) -> Iterator[Places]:
    """Every distinct arrangement, the observed one included."""
    strata_units = _members(strata)
    choices = [list(_orders_of_units(units, labels[units])) for units in strata_units]
    for chosen in product(*choices):
        places = np.empty(strata.shape[0], dtype=np.int32)
        for units, givers in zip(strata_units, chosen, strict=True):
            places[units] = givers
        yield places


def _orders_of_units(units: NDArray[np.int64], labels: Codes) -> Iterator[NDArray[np.int64]]:
    """From which unit each of `units` gets its value, once for every distinct order of the labels."""
    for wanted in _orders(tuple(int(label) for label in sorted(labels))):
        holders = {label: iter(units[labels == label]) for label in set(wanted)}
        yield np.array([next(holders[label]) for label in wanted], dtype=np.int64)


def _orders(labels: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """The distinct orders of labels that may repeat."""
    if not labels:
        yield ()
        return
    for label in sorted(set(labels)):
        rest = list(labels)
        rest.remove(label)
        for tail in _orders(tuple(rest)):
            yield (label, *tail)
