"""A visit is scored, compared with what was forecast, and the forecast learns from it."""

from __future__ import annotations

from datetime import date

import pytest

from biflora.errors import ClinicianMust
from biflora.followup.outcome import AdverseEvent, Outcome
from biflora.followup.record import inside_80, observations_of, record_outcome
from biflora.profile.host.instruments import score
from biflora.profile.patient import Condition, InstrumentInput, Patient
from biflora.profile.profile import Profile, Score
from biflora.profile.read import read_profile
from biflora.twin.forecast import Course, Forecast
from biflora.twin.run import forecast
from biflora.values import Band

ON = date(2026, 12, 21)


def scorad(total: float) -> InstrumentInput:
    return InstrumentInput(instrument="scorad", total=total)


def scored(total: float) -> Score:
    return score(scorad(total), 30)


@pytest.fixture(scope="module")
def profile() -> Profile:
    patient = Patient(
        patient_id="P01",
        age_years=30,
        condition=Condition.ATOPIC_DERMATITIS,
        scores=(scorad(50),),
        laboratory={"s_aureus_log10_copies_per_cm2": 5.5, "tewl_g_per_m2_h": 32},
        synthetic=True,
    )  # type: ignore[arg-type]
    return read_profile(patient)


@pytest.fixture(scope="module")
def before(profile: Profile) -> Forecast:
    return forecast(profile)


def band(low: float, high: float) -> Band:
    middle = (low + high) / 2
    return Band(median=middle, q25=middle, q75=middle, q10=low, q90=high, q2_5=low, q97_5=high)


@pytest.mark.parametrize(
    ("week", "value", "inside"),
    [
        (0, 40, True), (0, 39.9, False), (4, 20, True), (4, 50, True), (4, 50.1, False),
        (2, 30, True), (2, 29.9, False), (2, 55, True), (2, 55.1, False), (5, 30, None),
    ],
)  # fmt: skip
def test_inside_the_80_percent_interval_by_hand(week: float, value: float, inside: bool | None) -> None:
    """Week 0: 40 to 60; week 4: 20 to 50. Half way, at week 2: 30 to 55. Nothing was forecast for week 5."""
    course = Course(arm="topical", observable="scorad", weeks=(0, 4), bands=(band(40, 60), band(20, 50)))
    made = Forecast(weeks=(0, 4), courses=(course,))
    assert inside_80(made, "topical", week, [scored(value)]) is inside
    assert inside_80(made, "oral", week, [scored(value)]) is None
    assert inside_80(made, "topical", week, []) is None


def test_a_good_visit_lowers_the_rest_and_a_bad_one_raises_it(profile: Profile, before: Forecast) -> None:
    def week_12(made: Forecast) -> float:
        course = made.course("topical", "scorad")
        assert course is not None
        return course.bands[12].median

    _, good = record_outcome(profile, before, arm="topical", week=4, on=ON, scores=[scorad(18)])
    _, bad = record_outcome(profile, before, arm="topical", week=4, on=ON, scores=[scorad(60)])
    assert week_12(good) < week_12(before) < week_12(bad)


def test_the_outcome_and_the_forecast_can_be_walked_back(profile: Profile, before: Forecast) -> None:
    outcome, redrawn = record_outcome(
        profile,
        before,
        arm="topical",
        week=4,
        on=ON,
        scores=[scorad(35)],
        tewl_g_per_m2_h=28,
        adherence_percent=80,
    )
    assert outcome.parent_ids == (profile.id, before.id)
    assert redrawn.parent_ids == (profile.id, before.id, outcome.id)
    assert redrawn.id not in (before.id, "")
    assert redrawn.weeks == before.weeks
    assert any("week 4" in words for words in redrawn.informed_by)


def test_earlier_visits_keep_their_weight(profile: Profile, before: Forecast) -> None:
    """The order in which two visits teach the twin does not matter: all are weighed together."""
    first, redrawn = record_outcome(profile, before, arm="topical", week=2, on=ON, scores=[scorad(40)])
    _, both = record_outcome(profile, redrawn, arm="topical", week=4, on=ON, scores=[scorad(30)], earlier=[first])
    at_once = forecast(
        profile,
        observations=[
            *observations_of(first),
            *observations_of(first.model_copy(update={"week": 4.0, "scores": (scored(30),)})),
        ],
    )
    assert both.courses == at_once.courses
    _, alone = record_outcome(profile, before, arm="topical", week=4, on=ON, scores=[scorad(30)])
    assert both.courses != alone.courses


def test_what_the_twin_is_told() -> None:
    outcome = Outcome(
        patient_id="P01", week=4, on=ON, arm="oral", tewl_g_per_m2_h=28, s_aureus_log10_copies_per_cm2=4.0,
        scores=(scored(30), score(InstrumentInput(instrument="itch_nrs", total=4), 30)), adherence_percent=80,
    )  # fmt: skip
    told = {seen.observable: (seen.value, seen.week, seen.arm) for seen in observations_of(outcome)}
    assert told == {"scorad": (30, 4, "oral"), "tewl": (28, 4, "oral"), "s_aureus_log10": (4.0, 4, "oral")}
    objective = score(InstrumentInput(instrument="oscorad", total=20), 30)
    only = observations_of(Outcome(patient_id="P01", week=4, on=ON, arm="oral", scores=(objective,)))
    assert [(seen.observable, seen.value) for seen in only] == [("oscorad", 20)]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"week": -1}, "week"),
        ({"week": 105}, "week"),
        ({"adherence_percent": 101}, "percentage"),
        ({"scores": [scorad(104)]}, "scorad"),
    ],
)
def test_impossible_entries_are_refused(
    profile: Profile, before: Forecast, changes: dict[str, object], words: str
) -> None:
    fields: dict[str, object] = {"arm": "topical", "week": 4, "on": ON} | changes
    with pytest.raises(ClinicianMust, match=words):
        record_outcome(profile, before, **fields)  # type: ignore[arg-type]


def test_visits_are_entered_in_their_order(profile: Profile, before: Forecast) -> None:
    later = Outcome(patient_id="P01", week=8, on=ON, arm="topical")
    with pytest.raises(ClinicianMust, match="in their order"):
        record_outcome(profile, before, arm="topical", week=4, on=ON, earlier=[later])


def test_an_event_alone_is_a_visit_that_teaches_nothing(profile: Profile, before: Forecast) -> None:
    event = AdverseEvent(what="fever", severity="moderate")
    outcome, redrawn = record_outcome(profile, before, arm="topical", week=1, on=ON, adverse_events=[event])
    assert [f.rule for f in outcome.alerts] == ["infection"]
    assert outcome.inside_forecast_80 is None
    assert redrawn.courses == before.courses
