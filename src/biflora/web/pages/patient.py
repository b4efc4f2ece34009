"""The patient's pages, for a telephone: my plan as a day, my order, and a check-in of one question a page."""

from __future__ import annotations

from datetime import date

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from biflora.clinic import pharmacy, review
from biflora.clinic.access import User
from biflora.clinic.decide import consultation_of, decision_of
from biflora.clinic.opening import Clinic
from biflora.errors import BifloraError, NotAllowed, PatientMust
from biflora.followup.outcome import AdverseEvent
from biflora.papers.charts import finger_tips
from biflora.plan.explain import for_patient
from biflora.plan.explain_patient import every_day
from biflora.plan.strains import strain_to_discuss
from biflora.prescription.prescription import Signed
from biflora.profile.patient import InstrumentInput
from biflora.twin.forecast import Arm
from biflora.web.contexts import CheckIn, MyPlan
from biflora.web.forms import decimal, one_of
from biflora.web.render import figure, page
from biflora.web.security import AnyClinic, Form, PatientUser, text

pages = APIRouter(prefix="/me")

USE = {"all": 100.0, "most": 80.0, "half": 50.0, "few": 20.0, "none": 0.0}
"""How often the cream was used, in percent of the times, as the answers stand for it (assumed)."""
QUESTIONS = 4


def _mine(user: User) -> str:
    if user.patient_id is None:
        raise NotAllowed("This login belongs to no patient; ask the clinic to mend it.")
    return user.patient_id


@pages.get("")
def my_plan(request: Request, clinic: AnyClinic, user: PatientUser) -> Response:
    patient_id = _mine(user)
    clinic.note_read(user.username, "own plan read", patient_id)
    return page(request, "me.html", c=_context(clinic, patient_id))


def _context(clinic: Clinic, patient_id: str) -> MyPlan:
    store = clinic.store
    person = store.patient(patient_id)
    consultation = consultation_of(store, patient_id)
    if person is None:
        raise NotAllowed("This login belongs to no patient; ask the clinic to mend it.")
    decision = decision_of(store, patient_id)
    outcomes = tuple(review.outcomes_of(store, patient_id))
    signed = store.latest(patient_id, Signed, kind="prescription")
    arm: Arm | None = decision.arm if decision else None
    oral = arm in ("oral", "combination")
    amount = signed.draft.amount if signed and decision else None
    twice = amount is not None and amount.applications_per_day >= 2
    morning: list[str] = []
    evening: list[str] = []
    all_day: list[str] = []
    if amount is not None:
        morning.append("Put on your cream.")
        if twice:
            evening.append("Put on your cream again.")
    if consultation is not None and decision is not None:
        strain = strain_to_discuss(consultation.plan.strains) if oral else None
        if strain is not None:
            morning.append(
                f"Take your capsule: {strain.species} ({strain.strain_id}), {billions(strain.cfu_per_day)}."
            )
        all_day.extend(every_day(consultation.profile.patient))
    chart = finger_tips(amount.finger_tip_units_per_application) if amount else None
    return MyPlan(
        patient=person,
        decision=decision,
        stopped=bool(consultation and consultation.plan.stopped),
        told=None
        if consultation is None
        else for_patient(consultation.plan, consultation.profile, consultation.forecast, arm),
        morning=tuple(morning),
        evening=tuple(evening),
        all_day=tuple(all_day),
        amount=figure(chart, show_title=False) if chart else None,
        amount_words=chart.title if chart else "",
        orders=tuple(pharmacy.queue(store, patient_id=patient_id)),
        outcomes=outcomes,
        itch=tuple((o.week, s.value) for o in outcomes for s in o.scores if s.instrument == "itch_nrs"),
    )


def billions(cfu_per_day: str) -> str:
    """A dose such as `2e9` in everyday words; one that is no plain number stays as it is."""
    try:
        value = float(cfu_per_day)
    except ValueError:
        return f"{cfu_per_day} live bacteria a day"
    if value >= 1e9:
        return f"{value / 1e9:g} billion live bacteria a day"
    return f"{value / 1e6:g} million live bacteria a day"


@pages.get("/check-in")
def check_in(request: Request, user: PatientUser) -> Response:
    _mine(user)
    return page(request, "check_in.html", c=CheckIn(step=1, of=QUESTIONS, answers={}))


@pages.get("/check-in/thanks")
def thanks(request: Request, clinic: AnyClinic, user: PatientUser) -> Response:
    alerts = review.alerts_of(clinic.store, _mine(user))
    return page(request, "thanks.html", alerts=alerts)


@pages.post("/check-in")
def answer(request: Request, clinic: AnyClinic, user: PatientUser, form: Form) -> Response:
    """Take one answer and ask the next; answers travel in the form, never in an address."""
    patient_id = _mine(user)
    answers = {name: text(form, name) for name in ("itch", "use", "event", "event_what") if text(form, name)}
    step = int(text(form, "step")) if text(form, "step") in ("1", "2", "3", "4") else 1
    if text(form, "back"):
        return page(request, "check_in.html", c=CheckIn(step=max(1, step - 1), of=QUESTIONS, answers=answers))
    try:
        _judge(form, step)
        if step == QUESTIONS:
            _send(clinic, user, patient_id, form)
            return RedirectResponse("/me/check-in/thanks", status_code=303)
    except BifloraError as problem:
        context = CheckIn(step=step, of=QUESTIONS, answers=answers, problem=str(problem))
        return page(request, "check_in.html", status=422, c=context)
    return page(request, "check_in.html", c=CheckIn(step=step + 1, of=QUESTIONS, answers=answers))


def _judge(form: FormData, step: int) -> None:
    if step in (1, QUESTIONS) and decimal(form, "itch", 0, 10, error=PatientMust) is None:
        raise PatientMust("Choose a number from 0 to 10.")
    if step in (2, QUESTIONS) and text(form, "use") not in USE:
        raise PatientMust("Choose the answer that fits best.")
    if step in (3, QUESTIONS) and text(form, "event") not in ("no", "mild", "moderate", "severe"):
        raise PatientMust("Choose the answer that fits best.")


def _send(clinic: Clinic, user: User, patient_id: str, form: FormData) -> None:
    itch = decimal(form, "itch", 0, 10, error=PatientMust)
    assert itch is not None
    events: tuple[AdverseEvent, ...] = ()
    if text(form, "event") != "no":
        what = text(form, "event_what")[:200] or "not described"
        events = (AdverseEvent(what=what, severity=one_of(form, "event", ("mild", "moderate", "severe"))),)
    decision = decision_of(clinic.store, patient_id)
    if decision is None:
        raise PatientMust("Your clinic has not decided on your plan yet; check in once it has.")
    today = date.today()
    earlier = review.outcomes_of(clinic.store, patient_id)
    begun = earlier[0].on.toordinal() - 7 * earlier[0].week if earlier else decision.decided_at.toordinal()
    week = max(0.0, round((today.toordinal() - begun) / 7, 1))
    review.enter_outcome(
        clinic.store,
        patient_id,
        by=user,
        week=week,
        on=today,
        scores=(InstrumentInput(instrument="itch_nrs", total=itch),),
        adherence_percent=USE[text(form, "use")],
        adverse_events=events,
    )
