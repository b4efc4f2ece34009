"""Populations that differ: the shift keeps each rate's distribution and shares half of its variance."""

from __future__ import annotations

import numpy as np
import pytest

from biflora.knowledge.rates import rates as rate_table
from biflora.knowledge.trials import trial_setting
from biflora.trial.populations import shift_rates
from biflora.twin.population import draw_rates
from biflora.twin.state import RATES


def test_each_rate_keeps_its_spread_and_shares_its_variance() -> None:
    """500 populations x 40 patients. On the normal scale: variance 1 in all; of it `share` between populations.

    The estimate of a variance from 500 draws has a relative SE of sqrt(2/499) = 6 %.
    """
    rng = np.random.default_rng(4)
    population = np.repeat(np.arange(500), 40)
    shared = rng.standard_normal((500, len(RATES)))[population]
    shifted = shift_rates(draw_rates(len(population), rng), shared, rng)
    share = trial_setting("shared_variance")
    for key in ("butyrate_gain", "s_aureus_capacity", "adherence_oral"):
        row, values = rate_table()[key], shifted[:, RATES.index(key)]
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


def test_a_yes_or_no_rate_keeps_its_probability_and_clusters() -> None:
    rng = np.random.default_rng(4)
    population = np.repeat(np.arange(500), 40)
    shared = rng.standard_normal((500, len(RATES)))[population]
    shifted = shift_rates(draw_rates(len(population), rng), shared, rng)
    row = rate_table()["gut_responder"]
    yes = shifted[:, RATES.index("gut_responder")]
    assert set(np.unique(yes)) == {0.0, 1.0}
    assert yes.mean() == pytest.approx(row.median, abs=0.05)
    by_population = yes.reshape(500, 40).mean(axis=1)
    assert by_population.std() > 2 * np.sqrt(row.median * (1 - row.median) / 40)  # twice what chance gives


def test_constants_stay() -> None:
    rng = np.random.default_rng(4)
    drawn = draw_rates(50, rng)
    shifted = shift_rates(drawn, rng.standard_normal(drawn.shape), rng)
    constant = [i for i, key in enumerate(RATES) if rate_table()[key].distribution == "constant"]
    assert np.array_equal(drawn[:, constant], shifted[:, constant])
