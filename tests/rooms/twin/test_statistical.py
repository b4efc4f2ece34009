"""The two forecasts without a mechanism. Witness: the moments of their processes, worked from the table's rows."""

from __future__ import annotations

import math

import numpy as np
import pytest

from biflora.errors import ClinicianMust
from biflora.knowledge.statistical import statistical_setting
from biflora.twin.statistical import STATISTICAL, Seen, last_value, random_walk, weekly

MIDDLE = Seen("scorad", (0.0,), (50.0,))
"""Far from both ends of 0 ... 103, so that the ends cut nothing worth naming."""
MANY = 40_000


# One day's change: step^2 = 2.9^2 = 8.41. Two measurements add 2 x 2.8^2 = 15.68. sqrt(8.41 + 15.68) = 4.908.
def test_the_walk_starts_with_the_published_daily_step() -> None:
    draws = random_walk(MIDDLE, [0.0, 1 / 7], n_draws=MANY)
    assert draws.mean(axis=0) == pytest.approx([50, 50], abs=0.1)
    assert draws[:, 0].std() == pytest.approx(math.sqrt(2) * 2.8, rel=0.02)
    assert draws[:, 1].std() == pytest.approx(math.sqrt(2.9**2 + 2 * 2.8**2), rel=0.02)


# rho = 1 - 8.41 / 200 = 0.95795 a day. Five weeks: 2 x 100 x (1 - 0.95795^35) + 15.68 = 171.2, sd 13.1, and not
# 2.9 x sqrt(35) = 17.2. After years: 2 x 100 + 15.68 = 215.7, sd 14.7.
def test_the_walk_settles() -> None:
    draws = random_walk(MIDDLE, [5.0, 150.0], n_draws=MANY)
    assert draws[:, 0].std() == pytest.approx(13.1, rel=0.02)
    assert draws[:, 1].std() == pytest.approx(14.7, rel=0.02)
    assert np.median(draws, axis=0) == pytest.approx([50, 50], abs=0.4)


# gain = 15^2 / (15^2 + 2.8^2) = 0.96633; at week h: mean 28 + 0.875^h x 0.96633 x 22, variance
# 225 (1 - 0.96633 x 0.875^(2h)) + 7.84. At 5 weeks 0.51291: mean 38.90, sd sqrt(225 x 0.74578 + 7.84) = 13.25.
def test_the_last_value_shrinks_to_the_cohort() -> None:
    draws = last_value(MIDDLE, [0.0, 5.0, 60.0], n_draws=MANY)
    assert draws[:, 0].mean() == pytest.approx(28 + 0.96633 * 22, abs=0.1)
    assert draws[:, 1].mean() == pytest.approx(38.90, abs=0.25)
    assert draws[:, 1].std() == pytest.approx(13.25, rel=0.02)
    # far ahead the cohort itself: N(28, 15^2 + 2.8^2), cut at 0 where 3.3 % lie below
    assert np.median(draws[:, 2]) == pytest.approx(28, abs=0.4)
    assert np.mean(draws[:, 2] == 0) == pytest.approx(0.0333, abs=0.004)


def test_the_tables_shrinkage_is_the_step_and_the_spread_it_says() -> None:
    # a first-order process that moves by `step` a day and keeps `spread`: kept per day sqrt(1 - (step/spread)^2)
    for score in ("scorad", "easi"):
        step, spread = (statistical_setting(f"{score}_{what}") for what in ("daily_step_sd", "cohort_sd"))
        kept = (1 - (step / spread) ** 2) ** 3.5
        assert statistical_setting(f"{score}_shrink_per_week") == pytest.approx(1 - kept, abs=0.001)


def test_only_the_last_measurement_counts_for_later_weeks() -> None:
    longer = Seen("scorad", (0.0, 4.0), (90.0, 50.0))
    for model in STATISTICAL.values():
        later = model(longer, [4.0, 9.0], n_draws=MANY)
        alone = model(MIDDLE, [0.0, 5.0], n_draws=MANY)
        assert later.mean(axis=0) == pytest.approx(alone.mean(axis=0), abs=0.3)
        assert later.std(axis=0) == pytest.approx(alone.std(axis=0), rel=0.03)
        assert model(longer, [0.0], n_draws=MANY).mean() > 80


def test_weeks_of_one_draw_hang_together() -> None:
    # neighbouring weeks share their course: the correlation is that of the process, far above 0
    for model in STATISTICAL.values():
        draws = model(MIDDLE, [8.0, 9.0, 40.0], n_draws=MANY)
        near, far = np.corrcoef(draws.T)[0, 1:]
        assert near > 0.6
        assert far < near


def test_weekly_draws_stay_in_range_and_repeat() -> None:
    for score, highest in (("scorad", 103), ("easi", 72)):
        for value in (0.0, float(highest)):
            for model in STATISTICAL.values():
                seen = Seen(score, (0.0,), (value,))  # type: ignore[arg-type]
                draws = weekly(model, seen, 12, n_draws=500, seed=3)
                assert draws.shape == (500, 13)
                assert draws.min() >= 0
                assert draws.max() <= highest
                assert np.array_equal(draws, weekly(model, seen, 12, n_draws=500, seed=3))
                assert not np.array_equal(draws, weekly(model, seen, 12, n_draws=500, seed=4))


# EASI is forecast as ln(EASI + 1): the median of the walk stays at 20. Far ahead the last value's median is
# e^2.30 - 1 = 8.97.
def test_easi_is_forecast_on_its_own_scale() -> None:
    seen = Seen("easi", (0.0,), (20.0,))
    walk = random_walk(seen, [12.0], n_draws=MANY)
    assert np.median(walk) == pytest.approx(20, abs=0.4)
    assert np.quantile(walk, 0.9) - 20 > 20 - np.quantile(walk, 0.1)
    assert np.median(last_value(seen, [200.0], n_draws=MANY)) == pytest.approx(8.97, abs=0.2)


@pytest.mark.parametrize(
    ("weeks", "values", "words"),
    [((), (), "at least one"), ((0.0,), (1.0, 2.0), "week for each"), ((2.0, 1.0), (5.0, 5.0), "must rise"),
     ((0.0,), (103.5,), "outside 0 to 103"), ((0.0,), (math.nan,), "outside 0 to 103")],
)  # fmt: skip
def test_measurements_that_cannot_be_are_refused(
    weeks: tuple[float, ...], values: tuple[float, ...], words: str
) -> None:
    with pytest.raises(ClinicianMust, match=words) as refused:
        Seen("scorad", weeks, values)
    assert "103.5" not in str(refused.value)
