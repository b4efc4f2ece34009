"""Ranking: cases of tests/rules/ranking.yaml, and P(best) against a direct simulation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import made_up
import numpy as np
import pytest
import yaml

from biflora.plan.make_plan import make_plan
from biflora.plan.rank import evidence_for, mirrored, rank_arms
from biflora.profile.patient import Condition
from biflora.twin.forecast import ARMS, Arm, BestChance
from biflora.values import Who

RULES = Path(__file__).resolve().parents[2] / "rules"
CASES: list[dict[str, Any]] = yaml.safe_load((RULES / "ranking.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_ranking(case: dict[str, Any]) -> None:
    forecast = made_up.forecast(
        case["week12"], between_sd=case["uncertainty"], off=case.get("gut_link_off")
    )  # fmt: skip
    plan = make_plan(made_up.profile(made_up.patient(**case.get("patient", {}))), forecast)
    expect = case["expect"]
    assert plan.proposed_arm == expect["proposed"], plan.verdict
    for word in expect.get("words", []):
        assert word in plan.verdict
    if "separable" in expect:
        assert plan.separable is expect["separable"]
    if "first" in expect:
        assert plan.arms[0].arm == expect["first"]
    if "flips" in expect:
        assert any(f.rule == "ranking_flips_without_gut_link" for f in plan.findings) is expect["flips"]


def test_the_numbers_of_one_arm() -> None:
    """SCORAD 50 now, 35 +/- 5 (sd) at week 12 under oral: falls by 15 -/+ 6.41 (80 %); 5 better than 40."""
    week12: dict[Arm, float] = {"standard_care": 40, "oral": 35, "topical": 38, "combination": 36}
    plan = make_plan(made_up.profile(), made_up.forecast(week12, sd=5, between_sd=2))
    oral = next(arm for arm in plan.arms if arm.arm == "oral")
    assert oral.improvement is not None
    assert (oral.improvement.median, oral.improvement.q10, oral.improvement.q90) == pytest.approx(
        (15, 15 - 6.40776, 15 + 6.40776), abs=1e-4
    )
    assert oral.gain_over_standard_care is not None
    assert oral.gain_over_standard_care.median == pytest.approx(5)
    assert oral.gain_over_standard_care.q10 == pytest.approx(5 - 2.563104)
    assert oral.gain_gut_link_off == oral.gain_over_standard_care
    assert oral.burden_points == pytest.approx(1.5 * 1.03, abs=0.01)  # 1.5 of 100 on a scale that ends at 103
    standard = next(arm for arm in plan.arms if arm.arm == "standard_care")
    assert standard.gain_over_standard_care is None


def test_probability_best_equals_a_direct_simulation() -> None:
    """Differences of sd 4 between any two arms arise from independent arms of variance 8 each; 200,000 draws."""
    week12: dict[Arm, float] = {"standard_care": 40, "oral": 36, "topical": 38, "combination": 35}
    ranking = rank_arms(made_up.profile(), made_up.forecast(week12, between_sd=4), {})
    draws = np.random.default_rng(1).normal([40, 36, 38, 35], np.sqrt(8), (200_000, 4))
    direct = np.bincount(draws.argmin(axis=1), minlength=4) / 200_000
    found = {arm.arm: arm.probability_best for arm in ranking.arms}
    assert sum(p for p in found.values() if p is not None) == pytest.approx(1)
    for arm, expected in zip(("standard_care", "oral", "topical", "combination"), direct, strict=True):
        assert found[arm] == pytest.approx(expected, abs=0.03)  # 4,096 draws: SE 0.008


def test_probability_best_is_the_forecasts_own_count_while_all_arms_are_open() -> None:
    """The forecast counted 0.05, 0.15, 0.3, 0.5 jointly. With one arm closed the rest would not sum to 1: then the
    copula answers for the three others."""
    week12: dict[Arm, float] = {"standard_care": 40, "oral": 36, "topical": 38, "combination": 35}
    counted = (0.05, 0.15, 0.3, 0.5)
    chances = tuple(
        BestChance(arm=arm, observable="scorad", probability=p) for arm, p in zip(ARMS, counted, strict=True)
    )
    forecast = made_up.forecast(week12, between_sd=4).model_copy(update={"best_chances": chances})
    found = {arm.arm: arm.probability_best for arm in rank_arms(made_up.profile(), forecast, {}).arms}
    assert tuple(found[arm] for arm in ARMS) == counted
    closed = rank_arms(made_up.profile(), forecast, {"oral": ("closed",)})
    rest = {arm.arm: arm.probability_best for arm in closed.arms}
    assert rest["oral"] is None
    assert sum(p for p in rest.values() if p is not None) == pytest.approx(1)


def test_a_count_below_the_limit_keeps_a_clear_difference_from_being_told_apart() -> None:
    """Both is 28 points better than its nearest rival with spread 4: clear, and by the copula best in > 99 %.

    Where the forecast's joint draws say 0.7, below the limit of 0.8, the runner-up joins it.
    """
    week12: dict[Arm, float] = {"standard_care": 40, "oral": 38, "topical": 40, "combination": 10}
    forecast = made_up.forecast(week12, between_sd=4)
    assert make_plan(made_up.profile(), forecast).separable
    chances = tuple(
        BestChance(arm=arm, observable="scorad", probability=p)
        for arm, p in zip(ARMS, (0.0, 0.3, 0.0, 0.7), strict=True)
    )
    plan = make_plan(made_up.profile(), forecast.model_copy(update={"best_chances": chances}))
    assert not plan.separable
    assert "These cannot be separated: both, oral." in plan.verdict


def test_a_ranking_that_flips_between_structures_is_a_warning_and_one_sentence_of_the_verdict() -> None:
    week12: dict[Arm, float] = {"standard_care": 40, "oral": 38, "topical": 36, "combination": 12}
    forecast = made_up.forecast(week12, between_sd=4)
    flips = ("Skin only puts topical first.", "Without barrier memory oral comes first")
    plan = make_plan(made_up.profile(), forecast.model_copy(update={"ranking_flips": flips}))
    (found,) = (f for f in plan.findings if f.rule == "ranking_flips_between_structures")
    assert (found.level, found.who) == ("warn", Who.EVIDENCE)
    said = "Skin only puts topical first; Without barrier memory oral comes first."
    assert said in found.message
    assert plan.verdict.count(f"The ranking flips between structures of the model: {said}") == 1
    assert not any(f.rule == found.rule for f in make_plan(made_up.profile(), forecast).findings)


def test_an_order_that_changes_without_the_gut_link_is_noted() -> None:
    """Oral first by 6 - 1.55; with the link off topical first by 5 - 2.06; neither clear: standard care stays."""
    on: dict[Arm, float] = {"standard_care": 40, "oral": 34, "topical": 38, "combination": 38}
    off: dict[Arm, float] = {"standard_care": 40, "oral": 40, "topical": 35, "combination": 38}
    plan = make_plan(made_up.profile(), made_up.forecast(on, between_sd=10, off=off))
    assert plan.proposed_arm == "standard_care"
    assert plan.arms[0].arm == "oral"
    assert any(f.rule == "order_changes_without_gut_link" for f in plan.findings)


def test_mirrored_turns_a_band_round() -> None:
    band = made_up.band(3.0, 1.0)
    assert mirrored(mirrored(band)) == band
    assert mirrored(band).q10 == -band.q90


def test_conditions_without_a_forecast_show_evidence_only() -> None:
    plan = make_plan(made_up.profile(made_up.patient(condition="rosacea"), scorad=None), made_up.no_forecast())
    assert plan.proposed_arm == "standard_care"
    assert not plan.separable
    assert "No forecast exists" in plan.verdict
    assert all(arm.improvement is None and arm.probability_best is None for arm in plan.arms)
    evidence = {arm.arm: arm.evidence for arm in plan.arms}
    assert evidence["combination"] == "no trial found"
    assert "no trial found" not in evidence["oral"]  # one positive, one null: both told
    certainty = {arm.arm: arm.judgement.certainty for arm in plan.arms}
    assert certainty["oral"] == "very low"
    assert certainty["combination"] == "no trial found"


def test_negative_trials_stand_beside_positive_ones() -> None:
    text = evidence_for(Condition.ATOPIC_DERMATITIS, "topical")
    assert "negative: R. mucosa FB-401 failed" in text
    assert "positive: V. filiformis" in text
