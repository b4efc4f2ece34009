"""Benefit that matters, cost, certainty, and what "cannot be separated" rests on. Witness: hand-worked bands."""

from __future__ import annotations

import made_up
import pytest

from biflora.knowledge.deciding import arm_certainty, arm_costs, candidate_measurements, switch_rules
from biflora.knowledge.trials import arm_evidence
from biflora.plan.make_plan import make_plan
from biflora.plan.plan import Condition
from biflora.plan.rank import rank_arms
from biflora.plan.weighing import importance
from biflora.twin.elsewhere import from_evidence
from biflora.twin.forecast import ARMS, Arm, Observable
from biflora.values import SourcedNumber

EVEN: dict[Arm, float] = {"standard_care": 40, "oral": 36, "topical": 38, "combination": 35}
SMALLEST = SourcedNumber(value=8.7, unit="points", source="Schram 2012", verification="abstract_read")


@pytest.mark.parametrize(
    ("gain", "sd", "word"),
    [
        (15.0, 4.0, "important"),  # 80 % interval 9.9 to 20.1, all above 8.7
        (9.0, 4.0, "possibly important"),  # 3.9 to 14.1
        (3.0, 4.0, "not important"),  # -2.1 to 8.1, all below 8.7
    ],
)
def test_importance_is_where_the_interval_lies(gain: float, sd: float, word: str) -> None:
    assert importance(made_up.band(gain, sd), SMALLEST) == word
    assert importance(made_up.band(gain, sd), None) == "not known"
    assert importance(None, SMALLEST) == "not known"


def test_every_arm_carries_benefit_burden_cost_and_certainty() -> None:
    """Oral gains 4 and asks 1.5 x 1.03 = 1.545: net 2.455; both gains 5 and asks 3.605: 1.395."""
    plan = make_plan(made_up.profile(), made_up.forecast(EVEN, between_sd=10))
    arms = {arm.arm: arm for arm in plan.arms}
    assert arms["oral"].net_benefit == pytest.approx(2.455)
    assert arms["combination"].net_benefit == pytest.approx(1.395)
    assert [arm.arm for arm in plan.arms][:2] == ["oral", "combination"]
    for arm in plan.arms:
        assert arm.monthly_cost is not None
        assert arm.monthly_cost.low <= arm.monthly_cost.high
        assert arm.monthly_cost.verification == "assumed"
        assert arm.judgement.because
        assert arm.unit == "points"
    assert arms["oral"].judgement.certainty == "low"
    assert "for this patient the 80 % interval of the gain holds zero" in arms["oral"].judgement.because


def test_an_arm_tells_its_numbers_with_their_unit() -> None:
    """Oral 36 against 40 with sd 5: 4 -/+ 6.4; pooled differences in SD carry two decimals."""
    plan = make_plan(made_up.profile(), made_up.forecast(EVEN, between_sd=5))
    arms = {arm.arm: arm for arm in plan.arms}
    assert arms["oral"].gain_in_words == "4.0 points (-2.4 to 10.4)"
    assert arms["standard_care"].gain_in_words == "the comparator"
    assert arms["oral"].improvement_in_words == "14.0 points (7.6 to 20.4)"
    pooled = arms["oral"].model_copy(update={"unit": "SD", "gain_over_standard_care": made_up.band(0.35, 0.234)})
    assert pooled.gain_in_words == "0.35 SD (0.05 to 0.65)"
    dry = make_plan(
        made_up.profile(made_up.patient(condition="dry_sensitive_skin"), scorad=None), made_up.no_forecast()
    )
    assert {a.gain_in_words for a in dry.arms if a.arm != "standard_care"} == {"no trial found"}


def test_the_gut_link_is_named_where_a_gain_leans_on_it() -> None:
    off: dict[Arm, float] = {"standard_care": 40, "oral": 40, "topical": 38, "combination": 38}
    plan = make_plan(made_up.profile(), made_up.forecast(EVEN, off=off))
    arms = {arm.arm: arm for arm in plan.arms}
    assert "the gain leans on the gut link: median 4.0 with it, 0.0 without" in arms["oral"].judgement.because
    assert not any("gut link" in reason for reason in arms["topical"].judgement.because)


def test_arms_that_cannot_be_separated_say_why_and_what_would_separate_them() -> None:
    """Differences of sd 10: oral against standard care 4.0, 4 -/+ 12.8 = -8.8 to 16.8."""
    plan = make_plan(made_up.profile(), made_up.forecast(EVEN, between_sd=10))
    assert not plan.separable
    assert plan.separation is not None
    assert plan.separation.arms[0] == "oral"
    assert set(plan.separation.arms) == set(ARMS)
    assert "Oral against standard care: 4.0 points, 80 % interval -8.8 to 16.8, which holds zero." in (
        plan.separation.because
    )
    assert any(text.startswith("Time: start with standard care") for text in plan.separation.would_separate)


def test_a_gain_above_zero_that_its_burden_eats_is_said_so() -> None:
    """Oral 2.5 with sd 1: 1.2 to 3.8 lies above zero, its lower end below the extra burden of 1.545."""
    week12: dict[Arm, float] = {"standard_care": 40, "oral": 37.5, "topical": 40, "combination": 40}
    plan = make_plan(made_up.profile(), made_up.forecast(week12, between_sd=1))
    assert plan.separation is not None
    said = next(text for text in plan.separation.because if text.startswith("Oral against standard care"))
    assert said.endswith("its lower end lies below the extra burden of 1.5.")


def test_arms_that_can_be_told_apart_have_no_such_list() -> None:
    week12: dict[Arm, float] = {"standard_care": 40, "oral": 38, "topical": 40, "combination": 10}
    plan = make_plan(made_up.profile(), made_up.forecast(week12, between_sd=2))
    assert plan.separable
    assert plan.separation is None


def test_a_budget_below_every_price_is_said() -> None:
    poor = made_up.profile(made_up.patient(preferences={"max_monthly_cost_usd": 5}))
    plan = make_plan(poor, made_up.forecast(EVEN, between_sd=10))
    assert plan.arms[0].within_budget is False
    assert any(f.rule == "proposal_above_budget" for f in plan.findings)
    rich = made_up.profile(made_up.patient(preferences={"max_monthly_cost_usd": 500}))
    plan = make_plan(rich, made_up.forecast(EVEN, between_sd=10))
    assert plan.arms[0].within_budget is True
    assert not any(f.rule == "proposal_above_budget" for f in plan.findings)
    assert make_plan(made_up.profile(), made_up.forecast(EVEN)).arms[0].within_budget is None


def test_the_smallest_important_difference_is_the_forecasts_with_its_source() -> None:
    observable = Observable(
        key="scorad", label="SCORAD", unit="points", lower_is_better=True, smallest_important_difference=SMALLEST
    )
    foreseen = made_up.forecast(EVEN, between_sd=10).model_copy(update={"observables": (observable,)})
    plan = make_plan(made_up.profile(), foreseen)
    assert all(arm.smallest_important_difference == SMALLEST for arm in plan.arms)
    assert plan.follow_up is not None
    worse = next(rule for rule in plan.follow_up.rules if rule.key == "worsening")
    assert "8.7 points" in worse.when


@pytest.mark.parametrize("condition", list(Condition))
def test_other_conditions_show_what_trials_found_and_rank_nothing(condition: Condition) -> None:
    if condition is Condition.ATOPIC_DERMATITIS:
        pytest.skip("it has a model")
    profile = made_up.profile(made_up.patient(condition=condition), scorad=None)
    foreseen = from_evidence(profile, 1)
    ranking = rank_arms(profile, foreseen, {})
    assert ranking.best is None
    for arm in ranking.arms:
        assert arm.net_benefit is None
        told = foreseen.difference(arm.arm, "standard_care", ranking.observable) if ranking.observable else None
        assert (arm.gain_over_standard_care is None) == (told is None)
        tried = any((row.condition, row.arm) == (condition, arm.arm) for row in arm_evidence().values())
        if not tried and arm.arm != "standard_care":
            assert arm.judgement.certainty == "no trial found"


def test_tables_name_arms_and_every_tried_arm_is_judged() -> None:
    assert set(arm_costs()) == set(ARMS)
    for row in arm_evidence().values():
        assert arm_certainty(row.condition, row.arm) is not None, f"{row.condition}, {row.arm}: judge it"
    assert {arm for rule in switch_rules().values() for arm in rule.arms} <= set(ARMS)
    assert all(row.usd_low <= row.usd_high for row in candidate_measurements().values())
