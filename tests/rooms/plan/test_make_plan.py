"""The whole plan on made-up people."""

from __future__ import annotations

import made_up
import pytest

from biflora.errors import ClinicianMust
from biflora.knowledge.strains import oral_strains
from biflora.knowledge.trials import trial_arms
from biflora.plan.make_plan import make_plan
from biflora.plan.strains import strain_to_discuss, strains_tried
from biflora.twin.forecast import Arm
from biflora.values import State

FALLS: dict[Arm, float] = {"standard_care": 40, "oral": 20, "topical": 36, "combination": 19}


def test_a_stop_leaves_the_referral_and_nothing_else() -> None:
    plan = make_plan(made_up.profile(made_up.patient(signs=["punched_out_erosions"])), made_up.forecast(FALLS))
    assert plan.stopped
    assert plan.needs is None
    assert plan.proposed_arm is None
    assert (plan.arms, plan.strains, plan.measures) == ((), (), ())
    assert [step.kind for step in plan.steps] == ["refer"]
    assert plan.findings[0].level == "stop"
    assert plan.verdict.startswith("Stopped.")


def test_an_unknown_sign_stops_the_reading() -> None:
    with pytest.raises(ClinicianMust):
        make_plan(made_up.profile(made_up.patient(signs=["itchy"])), made_up.forecast(FALLS))


def test_the_same_input_gives_the_same_plan() -> None:
    profile, forecast = made_up.profile(), made_up.forecast(FALLS)
    assert make_plan(profile, forecast) == make_plan(profile, forecast)
    assert set(make_plan(profile, forecast).parent_ids) == {profile.id, forecast.id}


def test_an_oral_plan_names_a_strain_of_this_age_and_what_spoke_against() -> None:
    """Adults: Drago 2011 (LS01, n 38) and Iemoli 2012 are the controlled positive trials of the table."""
    plan = make_plan(made_up.profile(), made_up.forecast(FALLS, between_sd=2))
    assert plan.proposed_arm == "oral"
    (oral,) = [step for step in plan.steps if step.kind == "oral"]
    assert "LS01" in oral.text
    assert "2e9 CFU" in oral.text
    assert oral.verification == "table_read; dose memory"


def test_an_infant_meets_the_null_trials() -> None:
    """8 months: Viljanen, Folster-Holst, Gruber (LGG) and Gore are null; Weston (6-18 months) is positive."""
    person = made_up.patient(age_years=0.67)
    suited = [s for s in strains_tried(person) if s.suits]
    assert {s.sign for s in suited} >= {"positive", "null"}
    assert sum(s.sign == "null" for s in suited if not s.strain_id.startswith("META")) >= 4
    plan = make_plan(made_up.profile(person), made_up.forecast(FALLS, between_sd=2))
    (oral,) = [step for step in plan.steps if step.kind == "oral"]
    assert "found no difference" in oral.evidence


def test_a_closed_oral_arm_leaves_no_suitable_live_strain() -> None:
    plan = make_plan(made_up.profile(made_up.patient(central_line=True)), made_up.forecast(FALLS))
    live = [s for s in plan.strains if not s.strain_id.startswith("L-92") and not s.strain_id.startswith("META")]
    assert live
    assert not any(s.suits for s in live)
    assert all("not for this patient" in s.cautions for s in live)
    assert strain_to_discuss(plan.strains) is None


def test_condition_without_trials_says_so() -> None:
    person = made_up.patient(condition="dry_sensitive_skin")
    plan = make_plan(made_up.profile(person, scorad=None), made_up.no_forecast())
    assert plan.strains == ()
    assert {arm.evidence for arm in plan.arms} == {"no trial found"}
    judged = {arm.arm: arm.judgement.certainty for arm in plan.arms}
    assert judged == {
        "standard_care": "not judged", "oral": "no trial found", "topical": "no trial found",
        "combination": "no trial found",
    }  # fmt: skip


def test_live_bacteria_are_never_compounded() -> None:
    plan = make_plan(made_up.profile(), made_up.forecast(FALLS))
    assert any(f.rule == "live_bacteria_never_compounded" for f in plan.findings)
    (topical,) = [step for step in plan.steps if step.kind == "topical"]
    assert "without live cells" in topical.text
    assert plan.needs is not None
    assert plan.needs.research_authorisation is None


def test_a_patient_who_wants_nothing_on_the_skin_gets_no_formula() -> None:
    plan = make_plan(made_up.profile(made_up.patient(preferences={"topical_ok": False})), made_up.forecast(FALLS))
    assert plan.needs is None
    assert not plan.stopped
    assert next(a for a in plan.arms if a.arm == "topical").blocked_because == (
        "The patient does not want a topical product.",
    )


def test_what_is_not_known_is_listed_once() -> None:
    skin = made_up.skin(
        made_up.guild("s_aureus", None, State.NOT_RESOLVED), made_up.guild("malassezia", None, State.NOT_MEASURED)
    )
    plan = make_plan(
        made_up.profile(scorad=None, skin=skin), made_up.forecast(FALLS, not_informed=("faecal butyrate",))
    )
    assert any("s_aureus: not resolved" in text for text in plan.not_known)
    assert any("malassezia: not measured" in text for text in plan.not_known)
    assert "Faecal butyrate" in plan.not_known
    assert any(text.startswith("Gut microbiome") for text in plan.not_known)
    assert any(text.startswith("Severity") for text in plan.not_known)
    assert len(set(plan.not_known)) == len(plan.not_known)
    assert any("qPCR" in m.what for m in plan.measures)


def test_milk_allergy_and_immunosuppression_hold_back_fermented_food() -> None:
    for change in ({"allergies": ["cow's milk"]}, {"immune_status": "immunosuppressed"}):
        plan = make_plan(made_up.profile(made_up.patient(**change)), made_up.forecast(FALLS))
        assert not any("fermented" in step.text for step in plan.steps)
    plan = make_plan(made_up.profile(), made_up.forecast(FALLS))
    assert any("fermented" in step.text for step in plan.steps)


def test_all_researched_rows_are_there_with_their_marks() -> None:
    """29 strain rows and 112 trial-arm rows were researched; nulls and pooled analyses included."""
    rows = oral_strains()
    assert len(rows) == 29
    assert sum(row.sign == "null" for row in rows.values()) == 5
    assert sum(row.kind == "meta" for row in rows.values()) == 2
    assert len(trial_arms()) == 112
    assert all(row.source and row.verification for row in [*rows.values(), *trial_arms().values()])


def test_age_bands_are_read_as_stated() -> None:
    rows = oral_strains()
    assert rows["cect_8145_7347_9104"].suits_age(17.9)  # 4-17
    assert not rows["cect_8145_7347_9104"].suits_age(18)
    assert rows["vri_003_pcc"].suits_age(1.5)  # 6-18 months
    assert not rows["vri_003_pcc"].suits_age(1.7)
    assert not rows["l92_heat_killed"].suits_age(30)  # children/adults, no age stated
