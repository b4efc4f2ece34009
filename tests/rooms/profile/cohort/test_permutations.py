"""Dealing values anew: how many ways, all of them, and by chance."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from biflora.errors import TrialistMust
from biflora.profile.cohort.permutations import count_alike, count_distinct, deal


def codes(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def test_ways_by_hand() -> None:
    # 4 units, two of each: 4! / (2! 2!) = 6; the two names can be swapped: each split is found twice
    assert count_distinct(codes(0, 0, 1, 1), codes(0, 0, 0, 0)) == 6
    assert count_alike(codes(0, 0, 1, 1), codes(0, 0, 0, 0)) == 2
    # one of the first and three of the second: 4 ways, and no names to swap
    assert count_distinct(codes(0, 1, 1, 1), codes(0, 0, 0, 0)) == 4
    assert count_alike(codes(0, 1, 1, 1), codes(0, 0, 0, 0)) == 1
    # two blocks of two, one of each in both: 2 x 2 = 4; swapped in both blocks at once: 2 alike
    assert count_distinct(codes(0, 1, 0, 1), codes(0, 0, 1, 1)) == 4
    assert count_alike(codes(0, 1, 0, 1), codes(0, 0, 1, 1)) == 2
    # blocks of one value: nothing moves
    assert count_distinct(codes(0, 0, 1, 1), codes(0, 0, 1, 1)) == 1


def test_all_ways_are_all_and_only_once() -> None:
    labels, strata = codes(0, 0, 1, 1, 2), codes(0, 0, 0, 0, 0)
    found = deal(labels, strata, 999, np.random.default_rng(0), groups=True, wanted_p=0.5, what="arm")
    assert found.are_all
    dealt = {tuple(labels[row]) for row in found.places}
    assert dealt == set(permutations(labels.tolist())) - {tuple(labels.tolist())}
    assert len(found.places) == len(dealt) == 30 - 1  # 5! / (2! 2! 1!) = 30
    assert found.smallest_p == pytest.approx(2 / 30)


def test_chance_stays_inside_the_strata_and_repeats() -> None:
    strata = codes(*([0] * 30), *([1] * 25), *([2] * 25), 3)
    labels = np.arange(81)
    first, again = (
        deal(labels, strata, 200, np.random.default_rng(5), groups=False, wanted_p=0.05, what="age")
        for _ in range(2)
    )
    assert not first.are_all
    assert np.array_equal(first.places, again.places)
    assert np.array_equal(np.sort(first.places, axis=1), np.tile(np.arange(81), (200, 1)))
    assert np.array_equal(strata[first.places], np.tile(strata, (200, 1)))
    assert np.all(first.places[:, 80] == 80)
    # Each unit gets each value about equally often: 200 / 30 = 6.7 of 200, at most 25 by chance.
    assert np.bincount(first.places[:, 0]).max() <= 25


def test_every_order_is_as_likely() -> None:
    strata = codes(0, 0, 0, 1, 1, 1)
    found = deal(np.arange(6), strata, 20, np.random.default_rng(1), groups=False, wanted_p=0.05, what="age")
    rows = np.vstack([
        deal(np.arange(6), strata, 20, np.random.default_rng(seed), groups=False, wanted_p=0.05, what="age").places
        for seed in range(300)
    ])  # fmt: skip
    assert len(found.places) == 20
    _, times = np.unique(rows, axis=0, return_counts=True)
    # 3! x 3! = 36 orders, 6,000 draws: 167 each, standard deviation 12.7
    assert len(times) == 36
    assert abs(times - 6_000 / 36).max() < 5 * 12.7


def test_what_is_refused() -> None:
    generator = np.random.default_rng(0)
    with pytest.raises(TrialistMust, match="no value can change its place"):
        deal(codes(0, 0, 1, 1), codes(0, 0, 1, 1), 999, generator, groups=True, wanted_p=0.05, what="arm")
    # 3 subjects against 3: 20 ways, 2 alike, so p is at least 0.1
    with pytest.raises(TrialistMust, match=r"only 20 ways, so no p-value below 0\.1 "):
        deal(codes(0, 0, 0, 1, 1, 1), codes(*[0] * 6), 999, generator, groups=True, wanted_p=0.05, what="arm")
    # 4 against 4: 70 ways, 2 alike: 0.029
    found = deal(
        codes(*[0] * 4, *[1] * 4), codes(*[0] * 8), 999, generator, groups=True, wanted_p=0.05, what="arm"
    )
    assert found.smallest_p == pytest.approx(2 / 70)
