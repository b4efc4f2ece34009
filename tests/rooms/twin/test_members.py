"""Populations that differ: each rate keeps its distribution and shares half of its variance within a member."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from biflora.knowledge.rates import population_setting
from biflora.knowledge.rates import rates as rate_table
from biflora.twin import state as at
from biflora.twin.calibrated import prior_members
from biflora.twin.population import draw, rates_of
from biflora.twin.state import RATES

Array = NDArray[np.float64]


@pytest.fixture(scope="module")
def drawn() -> Array:
    """500 populations of the prior x 40 patients, in that order."""
    member = np.repeat(np.arange(500), 40)
    shifts = prior_members(500, 3)
    shifts[:, at.UNLIKENESS] = 0.0  # every population as unlike within itself as the median one
    return rates_of(draw(len(member), np.random.default_rng(4), member), shifts)


def test_each_rate_keeps_its_spread_and_shares_its_variance(drawn: Array) -> None:
    """On the normal scale: variance 1 in all; of it `share` between populations.

    The estimate of a variance from 500 draws has a relative SE of sqrt(2/499) = 6 %.
    """
    share = population_setting("shared_variance").value
    for key in ("butyrate_gain", "s_aureus_capacity", "adherence_oral"):
        row, values = rate_table()[key], drawn[:, RATES.index(key)]
        if row.distribution == "lognormal":
            z = np.log(values / row.median) * 1.6448536 / np.log(row.spread)
        elif row.distribution == "logit":
            z = (np.log(values / (1 - values)) - np.log(row.median / (1 - row.median))) / row.spread
        else:
            z = (values - row.median) / row.spread
        groups = z.reshape(500, 40)
        between = groups.mean(axis=1).var(ddof=1) - groups.var(axis=1, ddof=1).mean() / 40
        assert z.var() == pytest.approx(1, abs=0.12)
        assert between == pytest.approx(share, abs=0.12)


def test_a_yes_or_no_rate_keeps_its_probability_and_clusters(drawn: Array) -> None:
    row = rate_table()["gut_responder"]
    yes = drawn[:, RATES.index("gut_responder")]
    assert set(np.unique(yes)) == {0.0, 1.0}
    assert yes.mean() == pytest.approx(row.median, abs=0.05)
    by_population = yes.reshape(500, 40).mean(axis=1)
    assert by_population.std() > 2 * np.sqrt(row.median * (1 - row.median) / 40)  # twice what chance gives


def test_constants_stay(drawn: Array) -> None:
    for place, key in enumerate(RATES):
        if rate_table()[key].distribution == "constant":
            assert (drawn[:, place] == rate_table()[key].median).all()


def test_the_same_numbers_make_the_same_patient() -> None:
    one, two = (rates_of(draw(30, np.random.default_rng(8))) for _ in range(2))
    assert np.array_equal(one, two)


def test_a_population_may_be_more_unlike_within_itself() -> None:
    # one sd of its shift: 1.6 ^ (sqrt(share) / 1.645) on every own part; medians stay
    member = np.repeat(np.arange(2), 20_000)
    shifts = np.zeros((2, len(RATES)))
    shifts[1, at.UNLIKENESS] = 1.0
    values = np.log(rates_of(draw(len(member), np.random.default_rng(4), member), shifts)[:, at.STEROID_MAX])
    one, other = values[:20_000], values[20_000:]
    share = population_setting("shared_variance").value
    assert other.std() / one.std() == pytest.approx(1.6 ** (np.sqrt(share) / 1.6448536), rel=0.02)
    assert np.median(other) == pytest.approx(np.median(one), abs=0.01)
