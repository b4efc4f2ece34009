"""The calibration against cases whose answer is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from biflora.knowledge.published import published_outcomes
from biflora.twin.calibrate import Figures, Posterior, predicted, sample
from biflora.twin.campaign import AT_ONCE, Campaign, usable_outcomes
from biflora.twin.emulator import Emulator, active_rates, from_straight, learn, slope_of, to_straight
from biflora.twin.state import RATES

Array = NDArray[np.float64]


def toy(values: list[float], errors: list[float], slopes: list[dict[int, float]], signs: list[bool] | None = None,
        loading: Array | None = None) -> tuple[Emulator, Figures]:  # fmt: skip
    """Figures that are linear in three rates, one trial each; rows only lend their names."""
    count = len(values)
    rows = tuple(published_outcomes().values())[:count]
    weights = np.zeros((7, count))
    for k, slope in enumerate(slopes):
        for place, size in slope.items():
            weights[1 + place, k] = size
    emulator = Emulator(np.arange(3), np.empty((0, 2), np.int64), weights, np.zeros(count), np.ones(count))
    figures = Figures(
        rows, np.array(values), np.array(errors), np.zeros((count, 3)) if loading is None else loading,
        np.arange(count), tuple(f"t{k}" for k in range(count)), np.array(signs or [False] * count),
        np.ones(count, dtype=bool), np.zeros(count, dtype=bool),
    )  # fmt: skip
    return emulator, figures


def test_posterior_of_a_linear_model_is_the_textbook_one() -> None:
    # y1 = 2 a with error .5, y2 = a + b with error 1; prior N(0, I): precision P = I + X'X/s2, mean P^-1 X'y/s2
    emulator, figures = toy([3.0, 1.0], [0.5, 1.0], [{0: 2.0}, {0: 1.0, 1: 1.0}])
    x, noise = np.array([[2.0, 0.0, 0.0], [1.0, 1.0, 0.0]]), np.diag([4.0, 1.0])
    precision = np.eye(3) + x.T @ noise @ x
    mean = np.linalg.solve(precision, x.T @ noise @ np.array([3.0, 1.0]))
    found = sample(emulator, figures, 3, rounds=900, settled=200, chains=32)
    assert found.shifts.mean(axis=0) == pytest.approx(mean, abs=0.05)
    assert np.cov(found.shifts.T) == pytest.approx(np.linalg.inv(precision), abs=0.06)
    assert found.between < 1.05


def test_a_trial_left_out_teaches_nothing() -> None:
    emulator, figures = toy([3.0, 1.0], [0.5, 1.0], [{0: 2.0}, {1: 1.0}])
    first = figures.rows[0]
    rows = (first, next(row for row in published_outcomes().values() if row.trial != first.trial))
    figures = replace(figures, rows=rows)
    found = sample(emulator, figures, 3, without={rows[0].trial}, rounds=500, settled=100, chains=32)
    assert found.shifts[:, 0].mean() == pytest.approx(0.0, abs=0.06)
    assert found.shifts[:, 0].std() == pytest.approx(1.0, abs=0.06)
    assert found.shifts[:, 1].mean() == pytest.approx(0.5, abs=0.06)  # y = b, error 1, prior 1: half way


def test_a_null_result_pulls_an_effect_towards_nothing_and_a_shown_one_away() -> None:
    # difference = a with standard error .3: "no difference shown" says |estimate| < .59
    still, _ = _sign(0.0)
    lower, _ = _sign(-1.0)
    assert abs(still.mean()) < 0.05
    assert still.std() < 0.6
    assert lower.mean() < -0.9


def _sign(direction: float) -> tuple[Array, Posterior]:
    emulator, figures = toy([direction], [0.3], [{0: 1.0}], [True])
    found = sample(emulator, figures, 5, rounds=500, settled=100, chains=32)
    return found.shifts[:, 0], found


def test_random_effects_widen_what_one_more_trial_may_show() -> None:
    emulator, figures = toy([0.0], [0.1], [{0: 0.0}], loading=np.array([[1.0, 0.0, 0.0]]))
    narrow = Posterior(np.zeros((10, 3)), np.zeros((10, 3)), 1.0)
    wide = Posterior(np.zeros((10, 3)), np.full((10, 3), 0.3), 1.0)
    places = np.array([0])
    one, two = (predicted(emulator, figures, p, places, 20_000, 1).std() for p in (narrow, wide))
    assert one == pytest.approx(0.1, rel=0.05)
    assert two == pytest.approx(np.hypot(0.1, 0.3), rel=0.05)


@pytest.mark.parametrize(
    ("measure", "value"), [("percent_change", -40.0), ("responders_50", 30.0), ("change", -7.0)]
)
def test_straight_scales_lead_back_and_their_slope_is_a_slope(measure: str, value: float) -> None:
    assert from_straight(measure, to_straight(measure, value)) == pytest.approx(value)
    step = (to_straight(measure, value + 0.01) - to_straight(measure, value - 0.01)) / 0.02
    assert slope_of(measure, value) == pytest.approx(float(step), rel=1e-3)


def test_the_emulator_learns_a_quadratic_and_takes_out_the_luck_of_shared_patients() -> None:
    # every figure: 2 + a + .8 b - .5 (b^2 - 1) + .7 a b, plus a constant for each group of populations
    random = np.random.default_rng(4)
    populations = 24 * AT_ONCE
    design = random.standard_normal((populations, len(RATES)))
    active = active_rates()
    a, b = design[:, active[3]], design[:, active[7]]
    rows = tuple(row for row in usable_outcomes() if row.measure == "change")[:3]
    luck = np.repeat(random.standard_normal(24), AT_ONCE)[:, None]
    truth = (2 + a + 0.8 * b - 0.5 * (b**2 - 1) + 0.7 * a * b)[:, None]
    values = truth + luck + 0.05 * random.standard_normal((populations, len(rows)))
    campaign = Campaign(design, tuple(r.key for r in rows), values, np.ones_like(values), values, 0)
    emulator = learn(campaign, rows, 1)
    new = random.standard_normal((200, len(active)))
    a, b = new[:, 3], new[:, 7]
    wanted = 2 + a + 0.8 * b - 0.5 * (b**2 - 1) + 0.7 * a * b
    off = emulator(new) - wanted[:, None]
    assert np.std(off - off.mean(axis=0)) < 0.35 * np.std(wanted)
    assert abs(off.mean()) < 0.6  # the mean of 24 constants of sd 1 is off by .2
    assert (emulator.explained > 0.8).all()
