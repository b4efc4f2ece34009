"""What trials say where no model stands behind it. Witness: the numbers of test_pooled.py."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "plan"))
import made_up

from biflora.papers.plan_content import PlanWords, plan_words
from biflora.papers.trials_content import arms_by_trials, trials_beside, trials_chart, trials_grid
from biflora.plan.make_plan import make_plan
from biflora.plan.plan import Condition, Plan
from biflora.plan.products import LabelStrain, Product, Shelf
from biflora.plan.trials_told import trials_said
from biflora.twin.pooled import pooled_effects
from biflora.twin.run import forecast

TABLES = [c for c in Condition if c is not Condition.ATOPIC_DERMATITIS]


def plan_of(condition: Condition) -> Plan:
    profile = made_up.profile(made_up.patient(condition=condition), scorad=None)
    return make_plan(profile, forecast(profile))


def words_of(condition: Condition, shelf: Shelf | None = None) -> PlanWords:
    profile = made_up.profile(made_up.patient(condition=condition), scorad=None)
    foreseen = forecast(profile)
    return plan_words(profile, foreseen, make_plan(profile, foreseen), shelf)


@pytest.mark.parametrize("condition", TABLES)
def test_every_arm_is_answered_and_every_null_trial_stands_beside(condition: Condition) -> None:
    said = " ".join(trials_said(condition))
    for label in ("Standard care:", "Oral:", "Topical:", "Both:"):
        assert label in said
    for found in pooled_effects(condition.value):
        for name in found.not_positive:
            assert name in said
        beside = " ".join(trials_beside(plan_of(condition)))
        for text in (*found.not_counted, *found.published):
            assert text in beside


def test_psoriasis_is_told_with_interval_prediction_interval_k_and_n() -> None:
    grid = trials_grid(plan_of(Condition.PSORIASIS))
    assert grid is not None
    oral = next(row for row in grid.rows if row[0] == "Oral")
    assert oral[1:] == ("3 (n 241)", "−0.33 (−1.27 to 0.62)", "−4.97 to 4.32", "61")
    assert ("Topical", "no trial found", "–", "–", "–") in grid.rows
    (chart,) = trials_chart(plan_of(Condition.PSORIASIS))
    assert [row[0] for row in chart.rows][-1] == "Oral: 3 trials pooled, n 241"
    assert chart.svg.count("<circle") == 3
    assert "0.2 is small" in chart.sentence


def test_no_arm_has_trials_in_one_table_and_none_in_the_other() -> None:
    """A trial in condition_trials.csv and `no trial found` beside it would contradict each other."""
    for condition in TABLES:
        plan = plan_of(condition)
        tried = {found.arm for found in pooled_effects(condition.value)}
        for arm in plan.arms:
            assert (arm.judgement.certainty == "no trial found") is (
                arm.arm not in tried and arm.arm != "standard_care"
            ), (condition, arm.arm)


def test_arms_in_sd_leave_out_what_no_trial_gives_and_say_what_an_sd_is() -> None:
    plan = plan_of(Condition.ACNE)
    grid = arms_by_trials(plan)
    assert "Gut link off" not in grid.columns
    oral = next(row for row in grid.rows if row[0] == "Oral")
    assert oral[1] == "0.35 SD (0.05 to 0.65)"
    assert oral[3] == "20 to 70 USD, assumed"
    assert "0.2 SD is called small" in plan.verdict
    assert words_of(Condition.ACNE).pooled_scale.startswith("SD: standard deviation")


def test_a_year_stands_once() -> None:
    said = " ".join(trials_beside(plan_of(Condition.ROSACEA)))
    assert "01201-24 2024" not in said
    assert "Manzhalii 2016" in said


def test_products_of_the_list_stand_beside_the_tried_strains() -> None:
    strains = tuple(LabelStrain(species=name, strain_id=name) for name in ("CECT 7347", "CECT 8145", "CECT 8361"))
    shelf = Shelf(
        products=(
            Product(name="Made-up capsules", strains=strains, cfu_per_day=1e9, counted="end of shelf life"),
            Product(name="Species only", strains=(LabelStrain(species="Bifidobacterium longum"),)),
        )
    )
    words = words_of(Condition.PSORIASIS, shelf)
    assert words.products is not None
    assert [row[0] for row in words.products.rows] == ["Made-up capsules"]
    assert "1 of 2." in words.products_said
    assert words_of(Condition.PSORIASIS).products_said == ""
    assert "the operator" in words_of(Condition.PSORIASIS, Shelf(told="the operator must act")).products_said
