"""Review: what happened to the patient, kept, and the forecast redrawn from it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from biflora.clinic.access import Role, User, require, require_patient
from biflora.clinic.decide import decision_of
from biflora.errors import ClinicianMust
from biflora.followup.outcome import AdverseEvent, Outcome
from biflora.followup.track_record import TrackRecord, track_record
from biflora.profile.patient import InstrumentInput
from biflora.profile.profile import Profile
from biflora.store.store import Store
from biflora.twin.forecast import Forecast
from biflora.values import Finding


def enter_outcome(
    store: Store,
    patient_id: str,
    *,
    by: User,
    week: float,
    on: date,
    scores: Sequence[InstrumentInput] = (),
    s_aureus_log10_copies_per_cm2: float | None = None,
    tewl_g_per_m2_h: float | None = None,
    adherence_percent: float | None = None,
    adverse_events: Sequence[AdverseEvent] = (),
) -> tuple[Outcome, Forecast]:
    """Keep a visit's result and the redrawn forecast in one act.

    A patient enters her own, staff anybody's. Raises ClinicianMust when nothing was entered, or when no arm
    was chosen yet.
    """
    from biflora.followup.record import record_outcome

    require(by, Role.CLINICIAN, Role.PATIENT)
    require_patient(by, patient_id, also=(Role.CLINICIAN,))
    profile = store.latest(patient_id, Profile, kind="profile")
    decision = decision_of(store, patient_id)
    forecast = newest_forecast(store, patient_id)
    if profile is None or forecast is None or decision is None:
        raise ClinicianMust("Approve the plan first; an outcome is read against the arm that was chosen.")
    given = (s_aureus_log10_copies_per_cm2, tewl_g_per_m2_h, adherence_percent)
    if not scores and not adverse_events and all(value is None for value in given):
        raise ClinicianMust("Nothing was entered; fill in at least one field.")
    outcome, redrawn = record_outcome(
        profile,
        forecast,
        arm=decision.arm,
        week=week,
        on=on,
        scores=scores,
        s_aureus_log10_copies_per_cm2=s_aureus_log10_copies_per_cm2,
        tewl_g_per_m2_h=tewl_g_per_m2_h,
        adherence_percent=adherence_percent,
        adverse_events=tuple(adverse_events),
        earlier=outcomes_of(store, patient_id),
    )
    with store.act(by.username, "outcome recorded") as act:
        act.keep(outcome, kind="outcome", patient_id=patient_id)
        act.keep(redrawn, kind="forecast", patient_id=patient_id)
    return outcome, redrawn


def outcomes_of(store: Store, patient_id: str) -> list[Outcome]:
    """By week, oldest first."""
    return sorted(store.records_of(patient_id, Outcome, kind="outcome"), key=lambda outcome: outcome.week)


def newest_forecast(store: Store, patient_id: str) -> Forecast | None:
    """The forecast as it stands after all outcomes so far."""
    return store.latest(patient_id, Forecast, kind="forecast")


def track_record_of(store: Store, patient_id: str) -> TrackRecord:
    """How each forecast of this patient did at the visit after it."""
    forecasts = store.records_of(patient_id, Forecast, kind="forecast")
    return track_record(forecasts, outcomes_of(store, patient_id))


def alerts_of(store: Store, patient_id: str) -> tuple[Finding, ...]:
    """What the newest outcome asks somebody to do now."""
    outcomes = outcomes_of(store, patient_id)
    return outcomes[-1].alerts if outcomes else ()
