"""Weights that make trial patients of virtual ones, and what a table reports, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from biflora.twin.summaries import entry_weights, reported, weighted_share
from biflora.twin.trial_spec import Spread


def test_weights_give_the_trial_its_mean_and_spread() -> None:
    # 4,000 patients of mean 50 (SD 15) become a trial of 40 (SD 8); the ridge leaves a hundredth of an SD or so
    scores = 50 + 15 * np.random.default_rng(1).standard_normal(4000)
    weights = entry_weights({"scorad": scores}, {"scorad": Spread(mean=40, sd=8)})
    mean = weights @ scores
    assert weights.sum() == pytest.approx(1.0)
    assert mean == pytest.approx(40, abs=0.3)
    assert np.sqrt(weights @ (scores - mean) ** 2) == pytest.approx(8, abs=0.3)
    assert 500 < weighted_share(weights) < 4000


def test_everybody_enters_above_her_usual_course() -> None:
    # score = own + luck; without the demand a mild trial takes the lucky ones, with it they are unlucky as asked
    random = np.random.default_rng(2)
    own, luck = 50 + 13 * random.standard_normal(6000), random.standard_normal(6000)
    scores, baseline = own + 7 * luck, {"scorad": Spread(mean=35, sd=10)}
    plain = entry_weights({"scorad": scores}, baseline)
    asked = entry_weights({"scorad": scores}, baseline, [luck], 0.5)
    assert plain @ luck < -0.2
    assert asked @ luck == pytest.approx(0.5, abs=0.05)
    assert asked @ scores == pytest.approx(35, abs=0.5)


def test_what_a_table_reports_by_hand() -> None:
    # four patients, equal weights: 40 -> 20, 20 -> 15, 60 -> 60, 80 -> 16
    before, after = np.array([40.0, 20.0, 60.0, 80.0]), np.array([20.0, 15.0, 60.0, 16.0])
    equal = np.full(4, 0.25)
    assert reported("percent_change", "scorad", before, after, equal)[0] == pytest.approx((-50 - 25 + 0 - 80) / 4)
    assert reported("percent_of_means", "scorad", before, after, equal)[0] == pytest.approx(100 * (111 / 200 - 1))
    mean, sd = reported("change", "scorad", before, after, equal)
    assert mean == pytest.approx((-20 - 5 + 0 - 64) / 4)
    assert sd == pytest.approx(np.std([-20, -5, 0, -64]))
    assert reported("responders_50", "scorad", before, after, equal)[0] == pytest.approx(50.0)  # 40->20 and 80->16
    assert reported("responders_75", "scorad", before, after, equal)[0] == pytest.approx(25.0)  # 80->16
    assert reported("improved", "scorad", before, after, equal)[0] == pytest.approx(75.0)
    assert reported("mild", "scorad", before, after, equal)[0] == pytest.approx(75.0)  # below 25: 20, 15, 16
    heavy = np.array([0.7, 0.1, 0.1, 0.1])
    assert reported("responders_50", "scorad", before, after, heavy)[0] == pytest.approx(80.0)


def test_loads_in_percent_are_of_colonies() -> None:
    # log10 4 -> 3 in one and 4 -> 4 in the other: the mean of CFU falls from 10,000 to 5,500
    found, _ = reported(
        "percent_of_means", "s_aureus_log10", np.array([4.0, 4.0]), np.array([3.0, 4.0]), np.array([0.5, 0.5])
    )  # fmt: skip
    assert found == pytest.approx(-45.0)


def test_an_unknown_measure_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="no arm summary"):
        reported("sign", "scorad", np.ones(2), np.ones(2), np.full(2, 0.5))
