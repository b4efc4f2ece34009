"""Taking a strain, gut signs, fibre by age, and the follow-up rules. Witness: the tables' own rows and sources."""

from __future__ import annotations

from typing import Any

import made_up
import pytest

from biflora.knowledge.oral import fibre_grams, gut_signs, oral_advice
from biflora.knowledge.redflags import sign_words
from biflora.plan.make_plan import make_plan
from biflora.plan.oral import gut_prompts, oral_lines
from biflora.plan.plan import Plan
from biflora.plan.strains import strains_tried
from biflora.twin.forecast import Arm

ORAL: dict[Arm, float] = {"standard_care": 40, "oral": 20, "topical": 36, "combination": 19}


def plan(**changes: Any) -> Plan:
    return make_plan(made_up.profile(made_up.patient(**changes)), made_up.forecast(ORAL, between_sd=2))


def test_an_antibiotic_course_is_met_first() -> None:
    found = plan(current_treatments=["Flucloxacillin 500 mg"])
    assert found.oral_use[0].applies_now
    assert "at least 2 hours" in found.oral_use[0].text
    assert any("2 hours" in step.text for step in found.steps if step.kind == "oral")
    assert not any(line.applies_now for line in plan().oral_use)


def test_yeasts_are_spoken_of_only_where_they_matter() -> None:
    assert not any("Saccharomyces" in line.text for line in plan().oral_use)
    met = plan(current_treatments=["fluconazole"])
    assert any("Do not give Saccharomyces" in line.text for line in met.oral_use)


def test_a_closed_oral_arm_still_warns_of_what_somebody_might_take() -> None:
    found = plan(central_line=True)
    assert {line.topic for line in found.oral_use} == {"safety"}
    assert all(line.applies_now for line in found.oral_use)


def test_nothing_to_take_nothing_said() -> None:
    """Dry skin has no trial of a strain: without one to discuss nobody reads how to store it."""
    assert oral_lines(made_up.patient(condition="dry_sensitive_skin"), None, "standard_care") == ()


def test_effects_are_numbers_with_intervals_where_they_are_known() -> None:
    found = {choice.strain_id: choice for choice in strains_tried(made_up.patient(age_years=9))}
    pooled = found["META (children AD)"]
    assert (pooled.effect_value, pooled.effect_low, pooled.effect_high) == (-3.07, -6.12, -0.03)
    assert pooled.strains == ()  # a pooled analysis is no product
    three = found["CECT 8145 + CECT 7347 + CECT 9104"]
    assert three.strains == ("CECT 8145", "CECT 7347", "CECT 9104")
    assert (three.cfu_low, three.effect_value, three.effect_verification) == (1e9, -19.2, "memory")
    null = found["ATCC 53103 (LGG) c"]
    error = 1.96 * (15.4**2 / 54 + 12.1**2 / 48) ** 0.5  # 19.6 (sd 15.4, n 54) against 15.1 (12.1, n 48)
    assert (null.effect_low, null.effect_high) == pytest.approx((4.5 - error, 4.5 + error), abs=0.06)
    assert found["ATCC 53103 (LGG)"].effect_value is None  # it said "no difference" and no number


def test_the_share_interval_by_hand() -> None:
    """PASI-75 66.7 against 41.9 % in 45 each: 24.8 -/+ 196 sqrt(.667 x .333/45 + .419 x .581/45) = 4.9 to 44.7."""
    person = made_up.patient(condition="psoriasis")
    found = next(c for c in strains_tried(person) if c.strain_id.startswith("CECT 7347"))
    error = 196 * (0.667 * 0.333 / 45 + 0.419 * 0.581 / 45) ** 0.5
    assert found.effect_low == pytest.approx(24.8 - error, abs=0.06)
    assert found.effect_high == pytest.approx(24.8 + error, abs=0.06)


@pytest.mark.parametrize(
    ("age", "grams"), [(1.9, None), (2, 15), (4.9, 15), (5, 20), (11, 25), (15.9, 25), (16, 30), (70, 30)]
)
def test_fibre_by_age(age: float, grams: float | None) -> None:
    """SACN 2015: 15 g from 2, 20 g from 5, 25 g from 11, 30 g from 16 years."""
    row = fibre_grams(age)
    assert (None if row is None else row.grams_per_day) == grams


def test_the_diet_names_the_amount_and_forbids_elimination_without_a_diagnosis() -> None:
    texts = [step.text for step in plan(age_years=7).steps if step.kind == "diet"]
    assert any("about 20 g a day" in text for text in texts)
    assert "Leave out no food without a diagnosed food allergy." in texts
    assert not any("{" in text for text in texts)
    small = [step.text for step in plan(age_years=1.5).steps if step.kind == "diet"]
    assert any("no fibre supplement" in text for text in small)
    assert not any("g a day" in text for text in small)


def test_gut_signs_are_prompts_with_sources_and_diagnose_nothing() -> None:
    found = gut_prompts(made_up.patient())
    assert {prompt.key for prompt in found} >= {
        "constipation",
        "abdominal_pain",
        "early_antibiotics",
        "food_reaction",
    }
    assert all(prompt.ask and prompt.then and prompt.source and prompt.verification for prompt in found)
    before = plan()
    assert before.gut_prompts == found
    assert plan(signs=["fever"]).proposed_arm == before.proposed_arm
    # a prompt is no red flag: its key stops nothing
    assert not set(gut_signs()) & set(sign_words())


def test_a_stop_leaves_no_oral_lines_prompts_or_visits() -> None:
    found = plan(signs=["punched_out_erosions"])
    assert (found.oral_use, found.gut_prompts, found.follow_up, found.worth_measuring) == ((), (), None, None)


def test_rules_of_stopping_fit_the_arm_and_the_patient() -> None:
    oral = plan()
    assert oral.proposed_arm == "oral"
    assert oral.follow_up is not None
    keys = {rule.key for rule in oral.follow_up.rules}
    assert {"infection", "serious_reaction", "worsening", "week4_use", "oral_week12", "live_strain_risk"} <= keys
    assert "pregnancy" not in keys  # a man
    usual = plan(preferences={"oral_ok": False, "topical_ok": False})
    assert usual.proposed_arm == "standard_care"
    assert usual.follow_up is not None
    assert not {"oral_week12", "week4_use", "live_strain_risk"} & {rule.key for rule in usual.follow_up.rules}
    assert "pregnancy" in {rule.key for rule in plan(sex="female").follow_up.rules}  # type: ignore[union-attr]
    weeks = [rule.week for rule in oral.follow_up.rules]
    assert weeks == sorted(weeks, key=lambda week: (week is not None, week or 0))


def test_every_line_on_taking_a_strain_has_a_source() -> None:
    assert all(row.source and row.text and row.because for row in oral_advice().values())
    assert oral_advice()["antibiotic_hours"].hours == 2
