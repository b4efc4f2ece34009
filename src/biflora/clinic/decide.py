"""What the clinician decides, kept: the consultation, the chosen arm, the prescription, the signature."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from biflora.clinic.access import Role, User, require
from biflora.clinic.consult import Consultation
from biflora.dispensary.batch import Order
from biflora.errors import ClinicianMust, NotAllowed
from biflora.formula.formula import Formula, Impossible
from biflora.plan.considered import Decided, FlagAnswer
from biflora.plan.plan import Plan
from biflora.prescription.prescription import Draft, Signed
from biflora.profile.profile import Profile
from biflora.store.store import Act, Store, now
from biflora.twin.forecast import ARM_LABELS, Arm, Forecast
from biflora.values import Record

WITH_TOPICAL: tuple[Arm, ...] = ("topical", "combination")
NO_ANSWERS: Mapping[str, str] = MappingProxyType({})


class Decision(Record):
    """A clinician's decision on a plan. biflora proposes; this is who decided what."""

    patient_id: str
    plan_id: str
    arm: Arm
    as_proposed: bool
    decided_by: str
    decided_at: datetime
    note: str = ""
    answers: tuple[FlagAnswer, ...] = ()
    """What was found for each red flag that asks or reroutes."""


def keep_consultation(store: Store, result: Consultation, *, by: str) -> None:
    """Keep a further consultation of a patient who is known."""
    with store.act(by, "consultation") as act:
        keep_consultation_in(act, result)


def keep_consultation_in(act: Act, result: Consultation) -> None:
    patient_id = result.profile.patient.patient_id
    act.keep(result.profile, kind="profile", patient_id=patient_id)
    act.keep(result.forecast, kind="forecast", patient_id=patient_id)
    act.keep(result.plan, kind="plan", patient_id=patient_id)
    if isinstance(result.formula, Formula):
        act.keep(result.formula, kind="formula", patient_id=patient_id)
    elif isinstance(result.formula, Impossible):
        act.keep(result.formula, kind="impossible", patient_id=patient_id)


def consultation_of(store: Store, patient_id: str) -> Consultation | None:
    """The patient's newest consultation, with the forecast that the plan was made from."""
    profile = store.latest(patient_id, Profile, kind="profile")
    plan = store.latest(patient_id, Plan, kind="plan")
    if profile is None or plan is None:
        return None
    forecasts = store.records_of(patient_id, Forecast, kind="forecast")
    forecast = next((f for f in reversed(forecasts) if f.id in plan.parent_ids), forecasts[0])
    formulas = store.records_of(patient_id, Formula, kind="formula")
    refusals = store.records_of(patient_id, Impossible, kind="impossible")
    made: list[Formula | Impossible] = [formula for formula in formulas if plan.id in formula.parent_ids]
    made.extend(refusal for refusal in refusals if plan.id in refusal.parent_ids)
    return Consultation(profile=profile, forecast=forecast, plan=plan, formula=made[-1] if made else None)


def decision_of(store: Store, patient_id: str) -> Decision | None:
    """The newest decision on the newest plan, or None while it waits for one."""
    plan = store.latest(patient_id, Plan, kind="plan")
    decision = store.latest(patient_id, Decision, kind="decision")
    return decision if plan is not None and decision is not None and decision.plan_id == plan.id else None


def told_decision(store: Store, patient_id: str) -> Decided | None:
    """The newest decision on the newest plan, as papers tell it."""
    decision = decision_of(store, patient_id)
    if decision is None:
        return None
    return Decided(
        arm=decision.arm,
        by=decision.decided_by,
        at=decision.decided_at,
        note=decision.note,
        answers=decision.answers,
    )


def approve_plan(
    store: Store,
    patient_id: str,
    *,
    arm: Arm,
    by: User,
    note: str = "",
    answers: Mapping[str, str] = NO_ANSWERS,
    at: datetime | None = None,
) -> Decision:
    """Decide on an arm of the newest plan (`at` that time, now if None).

    `answers`: what was found, by key of each red flag that asks or reroutes (`Plan.must_be_answered`). Raises
    ClinicianMust or NotAllowed when the plan forbids it or such a flag stands unanswered.
    """
    from biflora.plan.redflags import answered

    require(by, Role.CLINICIAN)
    at = at or now()
    plan = store.latest(patient_id, Plan, kind="plan")
    if plan is None:
        raise ClinicianMust("There is no plan for this patient yet; start a consultation first.")
    if plan.stopped:
        raise NotAllowed(
            "A red flag stops this plan. Resolve it and start a new consultation; nothing is approved."
        )
    summary = next((a for a in plan.arms if a.arm == arm), None)
    if summary is None or not summary.allowed:
        why = "; ".join(summary.blocked_because) if summary else "the plan does not hold that arm"
        raise NotAllowed(f"'{ARM_LABELS[arm]}' is not open to this patient: {why}. Choose another arm.")
    if arm != plan.proposed_arm and not note.strip():
        raise ClinicianMust("You chose another arm than the proposed one; say in a sentence why.")
    looked = answered(plan.red_flags, answers, by=by.display_name, at=at)
    decision = Decision.make(
        "decision",
        release=plan.knowledge_release,
        parents=(plan.id,),
        patient_id=patient_id,
        plan_id=plan.id,
        arm=arm,
        as_proposed=arm == plan.proposed_arm,
        decided_by=by.display_name,
        decided_at=at,
        note=note.strip(),
        answers=looked,
    )
    with store.act(by.username, "plan approved") as act:
        act.keep(decision, kind="decision", patient_id=patient_id)
    return decision


def may_prescribe(arm: Arm, plan: Plan) -> bool:
    """Whether the arm holds a topical, or the plan leaves one without live cells open beside standard care."""
    return arm in WITH_TOPICAL or (arm == "standard_care" and plan.plain_topical_open)


def write_prescription(
    store: Store,
    patient_id: str,
    *,
    by: User,
    applications_per_day: int = 2,
    days: int = 28,
    repeats: int = 2,
    at: datetime | None = None,
) -> Draft:
    """A draft from the approved plan's formula. Raises ClinicianMust naming what is missing."""
    from biflora.prescription.prescribe import prescribe

    require(by, Role.CLINICIAN)
    consultation = consultation_of(store, patient_id)
    decision = decision_of(store, patient_id)
    if consultation is None or decision is None:
        raise ClinicianMust("Approve the plan first; a prescription follows from an approved plan.")
    if not may_prescribe(decision.arm, consultation.plan):
        raise ClinicianMust(
            f"The chosen arm ('{ARM_LABELS[decision.arm]}') has no topical; nothing to prescribe here."
        )
    if not isinstance(consultation.formula, Formula):
        raise ClinicianMust("There is no formula that could be made; see the reasons on the patient's page.")
    patient = consultation.profile.patient
    if patient.state is None:
        raise ClinicianMust(
            "The patient's state of residence is missing; a prescription is written for one state."
        )
    if not patient.sites:
        raise ClinicianMust("No body site was entered; the quantity follows from sites and areas.")
    draft = prescribe(
        consultation.formula,
        patient_id=patient_id,
        patient_name=patient.name or patient_id,
        patient_state=patient.state,
        sites=[(site.site, site.area_percent_bsa) for site in patient.sites],
        age_years=patient.age_years,
        weight_kg=patient.weight_kg,
        height_cm=patient.height_cm,
        written_on=(at or now()).date(),
        applications_per_day=applications_per_day,
        days=days,
        repeats=repeats,
        needs=consultation.plan.needs,
        current_treatments=patient.current_treatments,
        synthetic=patient.synthetic,
    )
    with store.act(by.username, "prescription written") as act:
        act.keep(draft, kind="draft", patient_id=patient_id)
    return draft


def sign_prescription(
    store: Store, draft_id: str, *, by: User, acknowledged: tuple[str, ...] = (), at: datetime | None = None
) -> tuple[Signed, Order]:
    """Sign a draft and hand it to the pharmacy: signature and order are one act."""
    from biflora.dispensary.order import receive
    from biflora.prescription.signing import sign

    require(by, Role.CLINICIAN)
    draft = store.record(draft_id, Draft, kind="draft")
    if draft is None:
        raise ClinicianMust("That draft is not kept here; write the prescription again.")
    at = at or now()
    signed = sign(draft, by.as_prescriber(), at, acknowledged)
    order = receive(signed, at, by.display_name)
    with store.act(by.username, "prescription signed") as act:
        act.keep(signed, kind="prescription", patient_id=draft.patient_id)
        act.keep_order(order, patient_id=draft.patient_id)
    return signed, order


def draft_waiting(store: Store, patient_id: str) -> Draft | None:
    """The newest draft that nobody has signed yet."""
    draft = store.latest(patient_id, Draft, kind="draft")
    signed = {s.draft.id for s in store.records_of(patient_id, Signed, kind="prescription")}
    return None if draft is None or draft.id in signed else draft
