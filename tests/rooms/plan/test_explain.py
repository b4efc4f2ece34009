"""The plan in words. Witness: the measured reading grade, and the states of knowledge that must be said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import made_up
import pytest

from biflora.clinic.demo import make_demo
from biflora.knowledge.planning import plan_limit
from biflora.plan.explain import Explanation, for_clinician, for_patient
from biflora.plan.explain_known import from_trials
from biflora.plan.make_plan import make_plan
from biflora.plan.plan import Condition
from biflora.plan.readability import reading_level
from biflora.profile.patient import Patient
from biflora.profile.profile import GuildShare, Profile, Reference
from biflora.profile.read import read_profile
from biflora.twin.forecast import Arm, Forecast
from biflora.twin.run import forecast
from biflora.values import State

LEVEL: dict[Arm, float] = {"standard_care": 40, "oral": 35, "topical": 38, "combination": 36}
CLEAR: dict[Arm, float] = {"standard_care": 40, "oral": 20, "topical": 36, "combination": 19}
BOTH: dict[Arm, float] = {"standard_care": 40, "oral": 38, "topical": 36, "combination": 12}


def told(profile: Profile, foreseen: Forecast) -> Explanation:
    return for_patient(make_plan(profile, foreseen), profile, foreseen)


def readable(text: Explanation) -> None:
    """Grade 6 to 7 in the whole, and no paragraph beyond it."""
    highest = plan_limit("reading_grade").value
    assert text.reading_grade <= highest
    assert text.smog_grade <= plan_limit("smog_grade").value
    for paragraph in text.paragraphs:
        assert reading_level(" ".join(paragraph.sentences)).flesch_kincaid <= highest, paragraph.heading


def test_every_demo_person_can_read_her_plan(tmp_path: Path) -> None:
    for person in make_demo(tmp_path):
        profile = read_profile(person.patient, skin=person.skin, gut=person.gut)
        mechanistic = person.patient.condition is Condition.ATOPIC_DERMATITIS
        readable(told(profile, made_up.forecast(LEVEL) if mechanistic else forecast(profile)))


def people() -> Iterator[tuple[str, Patient]]:
    """Every condition at three ages, with and without what must be asked, and what closes arms or stops all."""
    changes: dict[str, dict[str, Any]] = {
        "plain": {},
        "asks": {"skin_integrity": "excoriated", "immune_status": "unknown", "allergies": ["milk"]},
        "pregnant": {"pregnancy": "pregnant", "sex": "female"},
        "immunosuppressed": {"immune_status": "immunosuppressed"},
        "stopped": {"signs": ["punched_out_erosions"]},
        "wants no topical": {"preferences": {"topical_ok": False}},
    }
    for condition in Condition:
        for age in (0.7, 9, 40):
            for name, change in changes.items():
                yield f"{condition}, {age}, {name}", made_up.patient(condition=condition, age_years=age, **change)


@pytest.mark.parametrize("foreseen", [LEVEL, CLEAR, BOTH], ids=["cannot be told apart", "oral", "both"])
def test_whatever_the_person_the_words_stay_simple(foreseen: dict[Arm, float]) -> None:
    """7 conditions x 3 ages x 6 circumstances under three forecasts."""
    for name, person in people():
        profile = made_up.profile(person, scorad=50.0 if person.condition is Condition.ATOPIC_DERMATITIS else None)
        mechanistic = person.condition is Condition.ATOPIC_DERMATITIS
        text = told(profile, made_up.forecast(foreseen, between_sd=2) if mechanistic else forecast(profile))
        readable(text)
        assert "promise" not in text.text or "not a promise" in text.text, name


@pytest.mark.parametrize(
    ("state", "share", "words"),
    [
        (State.MEASURED, 0.43, "about 43 were the germ S. aureus"),
        (State.MEASURED, 0.002, "Less than 1 in 100"),
        (State.BELOW_DETECTION, None, "found none of the germ S. aureus. A tiny bit may still be there"),
        (State.NOT_RESOLVED, None, "cannot tell the germ S. aureus from germs that look like it"),
        (State.NOT_MEASURED, None, "does not look for the germ S. aureus"),
    ],
)
def test_each_state_of_knowledge_has_its_words(state: State, share: float | None, words: str) -> None:
    profile = made_up.profile(skin=made_up.skin(made_up.guild("s_aureus", share, state)))
    text = told(profile, made_up.forecast(LEVEL))
    assert words in text.text
    assert "We do not count it as zero." in text.text
    readable(text)


def test_what_was_not_handed_in_is_said() -> None:
    text = told(made_up.profile(scorad=None), made_up.forecast(LEVEL)).text
    assert "Nobody has scored your skin yet." in text
    assert "We had no skin sample." in text
    assert "We had no gut sample." in text
    assert "How much water your skin loses was not measured." in text


def test_arms_that_cannot_be_told_apart_are_said_so() -> None:
    text = told(made_up.profile(), made_up.forecast(LEVEL, between_sd=10)).text
    assert "We cannot tell which way works best for you." in text
    assert "We suggest your usual care, as it asks the least of you." in text


def test_numbers_are_the_forecasts_and_the_jar_is_no_live_cream() -> None:
    """Standard care at week 12: 40 with sd 5, so 8 of 10 lie within 40 -/+ 1.2816 x 5 = 33.6 to 46.4."""
    text = told(made_up.profile(), made_up.forecast(LEVEL, between_sd=10, sd=5)).text
    assert "near 40" in text
    assert "between 34 and 46" in text
    assert "The pharmacy's has none, so it may do less." in text


def test_it_says_what_to_do_when_to_call_and_who_does_what_next() -> None:
    text = told(made_up.profile(made_up.patient(skin_integrity="excoriated")), made_up.forecast(LEVEL))
    headings = [paragraph.heading for paragraph in text.paragraphs]
    assert headings[-3:] == ["When we meet again", "When to call us", "Who does what next"]
    assert "Call the emergency number at once" in text.text
    assert "Your doctor first asks you about one thing" in text.text
    assert "weeks 4, 8 and 12" in text.text


def test_a_man_is_not_asked_to_call_when_pregnant_and_a_parent_reads_for_a_child() -> None:
    man = told(made_up.profile(), made_up.forecast(LEVEL)).text
    woman = told(made_up.profile(made_up.patient(sex="female")), made_up.forecast(LEVEL)).text
    child = told(made_up.profile(made_up.patient(age_years=6)), made_up.forecast(LEVEL)).text
    assert "pregnant" not in man
    assert "You are pregnant or want to be." in woman
    assert "your child's eczema" in child


def test_a_stop_sends_to_a_doctor_and_proposes_nothing() -> None:
    text = told(made_up.profile(made_up.patient(signs=["punched_out_erosions"])), made_up.forecast(LEVEL))
    assert "So there is no plan for the skin yet." in text.text
    assert "suggest" not in text.text
    readable(text)


def test_the_clinician_reads_numbers_sources_and_reasons() -> None:
    """Oral 35 against 40, sd of the difference 2: gain 5.0, 80 % interval 5 -/+ 2.563 = 2.4 to 7.6."""
    profile, foreseen = made_up.profile(), made_up.forecast(LEVEL, between_sd=2)
    plan = make_plan(profile, foreseen)
    text = for_clinician(plan, profile, foreseen).text
    assert "over standard care 5.0, 80 % interval 2.4 to 7.6 points" in text
    assert "certainty of the evidence low" in text
    assert "Viljanen 2005" in text  # a trial that found nothing stands beside
    assert "20 to 70 USD a month (assumed)" in text
    assert plan.verdict in text
    assert for_clinician(plan, profile, foreseen) == for_clinician(plan, profile, foreseen)


def test_after_the_decision_the_words_speak_of_what_was_decided() -> None:
    """The plan proposes standard care; the capsule and the cream were decided on."""
    profile, foreseen = made_up.profile(), made_up.forecast(LEVEL, between_sd=10)
    plan = make_plan(profile, foreseen)
    before, after = for_patient(plan, profile, foreseen), for_patient(plan, profile, foreseen, "combination")
    assert plan.proposed_arm == "standard_care"
    assert "Your doctor decided with you on this: the capsule and the cream together." in after.text
    assert "Take the germs once a day." in after.text
    assert "Take the germs once a day." not in before.text
    for words in ("We suggest", "says yes or no", "the two of you decide"):
        assert words in before.text
        assert words not in after.text
    readable(after)


def test_one_open_way_is_not_called_a_choice() -> None:
    profile = made_up.profile(made_up.patient(immune_status="immunosuppressed"))
    text = told(profile, made_up.forecast(LEVEL)).text
    assert "One way is open to you now: your usual care." in text
    assert "Only one way is open to you now." in text
    for words in ("You may choose another way", "mixed cream, the pharmacy makes it"):
        assert words not in text


@pytest.mark.parametrize(
    ("sign", "words", "not_words"),
    [
        ("tongue_swelling", "Please call the emergency number now.", "hurting yourself"),
        ("punched_out_erosions", "The clinic must call you today", "Please call the emergency number now."),
        ("thoughts_of_self_harm", "You are not alone with it", "looks at the skin"),
    ],
)
def test_each_kind_of_stop_has_its_own_words(sign: str, words: str, not_words: str) -> None:
    text = told(made_up.profile(made_up.patient(signs=[sign])), made_up.forecast(LEVEL))
    assert words in text.text
    assert not_words not in text.text
    readable(text)


def test_trials_are_told_with_how_many_took_part_and_that_nothing_was_shown() -> None:
    """Psoriasis: 3 trials, 88 + 50 + 103 = 241 people, 95 % interval -1.27 to 0.62 SD holds zero."""
    text = " ".join(from_trials(Condition.PSORIASIS))
    assert "3 trials with 241 people could not show if a capsule of live germs helps." in text
    assert "We found no trial of a cream made with germs." in text
    rosacea = " ".join(from_trials(Condition.ROSACEA))
    assert "The trials gave no number that we can use." in rosacea


def test_her_share_stands_beside_well_people_only_where_it_was_read_the_same_way() -> None:
    reference = Reference(
        cohort="healthy", n=30, median=0.004, low=0.001, high=0.01, limits="IQR", source="made up",
        verification="assumed",
    )  # fmt: skip
    guild = GuildShare(guild="s_aureus", label="S. aureus", state=State.MEASURED, share=0.4, reference=reference)
    other = guild.model_copy(update={"reference": reference.model_copy(update={"mismatch": ("platform",)})})
    more = "That is more than in most of the well people in one study."
    assert more in told(made_up.profile(skin=made_up.skin(guild)), made_up.forecast(LEVEL)).text
    assert more not in told(made_up.profile(skin=made_up.skin(other)), made_up.forecast(LEVEL)).text
