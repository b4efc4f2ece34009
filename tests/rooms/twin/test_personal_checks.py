"""Simulation-based calibration in small, and forecasts of real children."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from biflora.twin.longitudinal import judge_several, read_scorads
from biflora.twin.observe import OBSERVED, PLACE
from biflora.twin.personal_checks import DESIGNS, measure, rank_test, twin_forecaster


def test_the_truth_ranks_uniformly_when_the_forecast_is_right() -> None:
    # 80 patients; p below .001 would happen by chance once in a thousand runs
    found = rank_test("SCORAD today", 80, 11)
    assert found.course.p > 0.001
    assert found.difference.p > 0.001


def test_tempered_moves_rank_uniformly_too() -> None:
    found = rank_test(next(reversed(DESIGNS)), 12, 5)
    assert found.moved > 0
    assert found.course.p > 0.001


def test_measuring_a_virtual_patient_keeps_scales_and_limits() -> None:
    truth = np.full((4, len(OBSERVED), 13), 30.0, np.float32)
    truth[0, PLACE["s_aureus_log10"]] = -1.5  # far below what a swab can show (1.3)
    score, load = measure(truth, (("scorad", 0.0), ("s_aureus_log10", 4.0)), np.random.default_rng(1))
    assert abs(score.value - 30.0) < 25.0
    assert load.below
    assert load.value == pytest.approx(1.3)
    assert load.week == 4.0


def test_real_children_are_forecast_from_their_first_visits(shared_data: Path) -> None:
    cases = read_scorads(shared_data / "ad_skin_trial_khadka2021")
    found = judge_several(cases, {"twin": twin_forecaster(3)}, given=2)
    twin = found.model("twin")
    assert twin.predictions == found.predictions >= 20
    assert twin.mean_crps.value < 20.0  # worse than that would be worse than knowing nothing
