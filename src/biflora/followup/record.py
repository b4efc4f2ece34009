"""A visit: score it, compare it with the forecast, raise alerts, redraw the forecast."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from biflora.errors import ClinicianMust
from biflora.followup.alerts import alerts_for
from biflora.followup.outcome import AdverseEvent, Outcome
from biflora.followup.track_record import SEVERITY, band_at
from biflora.knowledge.rows import release
from biflora.profile.host.instruments import score as score_instrument
from biflora.profile.patient import InstrumentInput
from biflora.profile.profile import Profile, Score
from biflora.twin.forecast import Arm, Forecast, Observation
from biflora.values import Record


def record_outcome(
    profile: Profile,
    before: Forecast,
    *,
    arm: Arm,
    week: float,
    on: date,
    scores: Sequence[InstrumentInput] = (),
    s_aureus_log10_copies_per_cm2: float | None = None,
    tewl_g_per_m2_h: float | None = None,
    adherence_percent: float | None = None,
    adverse_events: Sequence[AdverseEvent] = (),
    earlier: Sequence[Outcome] = (),
) -> tuple[Outcome, Forecast]:
    """The outcome of one visit, and the forecast that has learnt from it and from all `earlier` ones.

    Raises ClinicianMust for a week outside 0-104, an adherence outside 0-100 %, an impossible score, or a
    visit before an earlier one of the same list.
    """
    if not 0 <= week <= 104:
        raise ClinicianMust("The week of the visit must lie between 0 and 104.")
    if adherence_percent is not None and not 0 <= adherence_percent <= 100:
        raise ClinicianMust("Adherence is a percentage between 0 and 100.")
    if any(outcome.week > week for outcome in earlier):
        raise ClinicianMust("A later visit is already recorded; enter visits in their order.")
    made = tuple(score_instrument(given, profile.patient.age_years) for given in scores)
    inside = inside_80(before, arm, week, made)
    outcome = Outcome.make(
        "outcome",
        release=release(),
        parents=(profile.id, before.id),
        patient_id=profile.patient.patient_id,
        week=week,
        on=on,
        arm=arm,
        scores=made,
        s_aureus_log10_copies_per_cm2=s_aureus_log10_copies_per_cm2,
        tewl_g_per_m2_h=tewl_g_per_m2_h,
        adherence_percent=adherence_percent,
        adverse_events=tuple(adverse_events),
        inside_forecast_80=inside,
        alerts=alerts_for(
            profile, week=week, scores=made, adverse_events=adverse_events, adherence_percent=adherence_percent,
            inside_forecast_80=inside,
        ),
    )  # fmt: skip
    redrawn = redraw(profile, before, (*earlier, outcome))
    return outcome, _descended(redrawn, (profile.id, before.id, outcome.id))


def inside_80(forecast: Forecast, arm: Arm, week: float, scores: Sequence[Score]) -> bool | None:
    """Whether the severity fell inside the 80 % interval at that week (bands between weeks are interpolated).

    None when no severity was scored, or none was forecast for that week.
    """
    for instrument in SEVERITY:
        score = next((s for s in scores if s.instrument == instrument), None)
        course = forecast.course(arm, instrument)
        band = None if course is None else band_at(course, week)
        if score is not None and band is not None:
            return band.q10 <= score.value <= band.q90
    return None


def redraw(profile: Profile, before: Forecast, outcomes: Sequence[Outcome]) -> Forecast:
    """The forecast weighed anew by everything observed so far. Visits after its last week add nothing to it."""
    from biflora.twin.run import forecast

    weeks = before.weeks[-1] if before.weeks else 12
    seen = [o for outcome in outcomes if outcome.week <= weeks for o in observations_of(outcome)]
    return forecast(profile, weeks=weeks, seed=before.seed, observations=seen)


def _descended(forecast: Forecast, parents: tuple[str, ...]) -> Forecast:
    """The same forecast, made from the profile, the forecast before and the visit: walking back finds them."""
    fields = {name: getattr(forecast, name) for name in Forecast.model_fields if name not in Record.model_fields}
    return Forecast.make("forecast", release=forecast.knowledge_release, parents=parents, **fields)


def observations_of(outcome: Outcome) -> list[Observation]:
    """What one visit tells the twin, in its observables."""
    given = {score.instrument: score.value for score in outcome.scores}
    values = {key: given[key] for key in SEVERITY if key in given}
    if "scorad" not in given and "oscorad" in given:
        values["oscorad"] = given["oscorad"]
    if outcome.s_aureus_log10_copies_per_cm2 is not None:
        values["s_aureus_log10"] = outcome.s_aureus_log10_copies_per_cm2
    if outcome.tewl_g_per_m2_h is not None:
        values["tewl"] = outcome.tewl_g_per_m2_h
    return [
        Observation.model_validate({"week": outcome.week, "observable": key, "value": value, "arm": outcome.arm})
        for key, value in values.items()
    ]
