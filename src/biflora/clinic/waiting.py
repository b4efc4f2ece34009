"""What each patient waits for, and who must do it: the clinician's worklist."""

from __future__ import annotations

from dataclasses import dataclass

from biflora.clinic.decide import WITH_TOPICAL, Decision, decision_of, draft_waiting
from biflora.clinic.pharmacy import DONE
from biflora.clinic.review import outcomes_of
from biflora.dispensary.batch import Order, OrderState
from biflora.formula.formula import Formula
from biflora.plan.plan import Plan
from biflora.profile.patient import Patient
from biflora.profile.profile import Profile, Score
from biflora.store.store import Store
from biflora.values import Level


@dataclass(frozen=True)
class Waiting:
    """What comes next, who does it, and how pressing it is (`ok`: nobody in the clinic needs to act)."""

    what: str
    who: str
    level: Level | str

    @property
    def for_clinician(self) -> bool:
        return self.who == "clinician"


@dataclass(frozen=True)
class WorklistRow:
    patient: Patient
    severity: Score | None
    plan: Plan | None
    decision: Decision | None
    waiting: Waiting


def worklist(store: Store) -> list[WorklistRow]:
    """Everybody; those who wait for the clinician first, the gravest at the top."""
    rows = []
    for patient in store.patients():
        profile = store.latest(patient.patient_id, Profile, kind="profile")
        rows.append(
            WorklistRow(
                patient=patient,
                severity=profile.scores[0] if profile and profile.scores else None,
                plan=store.latest(patient.patient_id, Plan, kind="plan"),
                decision=decision_of(store, patient.patient_id),
                waiting=waiting_for(store, patient.patient_id),
            )
        )
    order = {"stop": 0, "warn": 1, "note": 2, "ok": 3}
    return sorted(rows, key=lambda row: (order[row.waiting.level], row.patient.patient_id))


def waiting_for(store: Store, patient_id: str) -> Waiting:
    """The one next thing for this patient."""
    plan = store.latest(patient_id, Plan, kind="plan")
    if plan is None:
        return Waiting("a first consultation", "clinician", "warn")
    if plan.stopped:
        return Waiting("a red flag: act on it now", "clinician", "stop")
    outcomes = outcomes_of(store, patient_id)
    if outcomes and any(alert.level == "stop" for alert in outcomes[-1].alerts):
        return Waiting("an alert from the last check-in", "clinician", "stop")
    decision = decision_of(store, patient_id)
    if decision is None:
        return Waiting("your decision on the plan", "clinician", "warn")
    orders = [order for _, order in store.orders(patient_id=patient_id)]
    if not orders:
        return _before_the_order(store, patient_id, plan, decision)
    return _of_the_order(orders[-1], has_outcomes=bool(outcomes))


def _before_the_order(store: Store, patient_id: str, plan: Plan, decision: Decision) -> Waiting:
    if draft_waiting(store, patient_id) is not None:
        return Waiting("your signature on the prescription", "clinician", "warn")
    if decision.arm not in WITH_TOPICAL:  # a plain topical beside standard care is possible, not owed
        return Waiting("the first check-in", "patient", "note")
    formulas = store.records_of(patient_id, Formula, kind="formula")
    if not any(plan.id in formula.parent_ids for formula in formulas):
        return Waiting("a formula: none is possible as things stand", "clinician", "warn")
    return Waiting("the prescription to be written", "clinician", "warn")


def _of_the_order(order: Order, *, has_outcomes: bool) -> Waiting:
    if order.state is OrderState.CLARIFICATION:
        return Waiting("your answer to the pharmacy's question", "clinician", "warn")
    if order.state in (OrderState.REJECTED, OrderState.RECALLED):
        return Waiting(f"a new decision: the order was {order.state.value}", "clinician", "warn")
    if order.state in (OrderState.SHIPPED, *DONE):
        return Waiting("the next check-in" if has_outcomes else "the first check-in", "patient", "ok")
    return Waiting(f"the pharmacy: {order.state.value}", "pharmacist", "note")
