"""The clinician's pages: the worklist, and one patient from microbiome to outcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from biflora.clinic import decide, pharmacy, review
from biflora.clinic.access import User
from biflora.clinic.opening import Clinic
from biflora.clinic.waiting import waiting_for, worklist
from biflora.errors import BifloraError, ClinicianMust
from biflora.followup.outcome import AdverseEvent
from biflora.formula.formula import Formula, Impossible
from biflora.knowledge.instruments import instruments
from biflora.papers.charts_keeping import keeping_courses
from biflora.papers.forecast_content import record_grid, severity_of
from biflora.papers.laboratory_content import laboratory_grid
from biflora.papers.plan_content import plan_words
from biflora.papers.report_content import not_measured, out_of_line
from biflora.papers.sheet import FormulaSheet, formula_sheet, reason_groups
from biflora.plan.products import named_shelf
from biflora.prescription.prescription import Signed
from biflora.profile.patient import InstrumentInput, Patient
from biflora.twin.forecast import ARMS
from biflora.web.contexts import Charts, PatientPage, Worklist
from biflora.web.figures import forecast_words, kept, patient_charts
from biflora.web.forms import decimal, one_of, whole
from biflora.web.pages import bench, microbiome, why
from biflora.web.render import page
from biflora.web.security import AnyClinic, Clinician, Form, text

pages = APIRouter(prefix="/clinic")
pages.routes.extend(bench.clinic.routes)
pages.routes.extend(why.clinic.routes)
pages.routes.extend(microbiome.clinic.routes)


@pages.get("")
def work(request: Request, clinic: AnyClinic, user: Clinician) -> Response:
    return page(request, "worklist.html", c=Worklist(worklist(clinic.store)))


@pages.get("/patients/{patient_id}")
def patient(request: Request, clinic: AnyClinic, user: Clinician, patient_id: str) -> Response:
    return _show(request, clinic, user, patient_id)


@pages.post("/patients/{patient_id}/approve")
def approve(request: Request, clinic: AnyClinic, user: Clinician, patient_id: str, form: Form) -> Response:
    def act() -> None:
        arm = one_of(form, "arm", ARMS)
        answers = {name.removeprefix("answer."): text(form, name) for name in form if name.startswith("answer.")}
        decide.approve_plan(clinic.store, patient_id, arm=arm, by=user, note=text(form, "note"), answers=answers)

    return _act_and_go(request, clinic, user, patient_id, act, form)


@pages.post("/patients/{patient_id}/prescribe")
def prescribe(request: Request, clinic: AnyClinic, user: Clinician, patient_id: str, form: Form) -> Response:
    def act() -> None:
        decide.write_prescription(
            clinic.store,
            patient_id,
            by=user,
            applications_per_day=whole(form, "applications_per_day", 1, 4),
            days=whole(form, "days", 7, 84),
            repeats=whole(form, "repeats", 0, 12),
        )

    return _act_and_go(request, clinic, user, patient_id, act, form)


@pages.post("/patients/{patient_id}/sign")
def sign(request: Request, clinic: AnyClinic, user: Clinician, patient_id: str, form: Form) -> Response:
    def act() -> None:
        draft = decide.draft_waiting(clinic.store, patient_id)
        if draft is None or draft.id != text(form, "draft_id"):
            raise ClinicianMust("This draft is no longer the newest one; read the new one and sign that.")
        if not text(form, "meaning"):
            raise ClinicianMust("Tick the sentence that says what your signature means.")
        answered = tuple(str(rule) for rule in form.getlist("acknowledged"))
        decide.sign_prescription(clinic.store, draft.id, by=user, acknowledged=answered)

    return _act_and_go(request, clinic, user, patient_id, act, form)


@pages.post("/patients/{patient_id}/outcome")
def outcome(request: Request, clinic: AnyClinic, user: Clinician, patient_id: str, form: Form) -> Response:
    return _act_and_go(
        request, clinic, user, patient_id, lambda: _enter_outcome(clinic, user, patient_id, form), form
    )


def _enter_outcome(clinic: Clinic, user: User, patient_id: str, form: FormData) -> None:
    scores = []
    for instrument, row in instruments().items():
        total = decimal(form, instrument, row.minimum, row.maximum)
        if total is not None:
            scores.append(InstrumentInput(instrument=instrument, total=total))
    week = decimal(form, "week", 0, 52)
    if week is None:
        raise ClinicianMust("Enter the week since treatment began.")
    events: tuple[AdverseEvent, ...] = ()
    if text(form, "event"):
        severity = one_of(form, "event_severity", ("mild", "moderate", "severe"))
        events = (AdverseEvent(what=text(form, "event")[:200], severity=severity),)
    review.enter_outcome(
        clinic.store,
        patient_id,
        by=user,
        week=week,
        on=date.today(),
        scores=scores,
        s_aureus_log10_copies_per_cm2=decimal(form, "s_aureus", -2, 12),
        tewl_g_per_m2_h=decimal(form, "tewl", 0, 150),
        adherence_percent=decimal(form, "adherence", 0, 100),
        adverse_events=events,
    )


def _act_and_go(
    request: Request, clinic: Clinic, user: User, patient_id: str, act: Callable[[], None], form: FormData
) -> Response:
    """Act and redirect; when something must be mended, the page again with the sentence and what was typed."""
    try:
        act()
    except BifloraError as problem:
        given = {name: value for name, value in form.items() if isinstance(value, str)}
        return _show(request, clinic, user, patient_id, problem=str(problem), given=given)
    return RedirectResponse(f"/clinic/patients/{patient_id}#done", status_code=303)


def _show(
    request: Request,
    clinic: Clinic,
    user: User,
    patient_id: str,
    *,
    problem: str = "",
    given: Mapping[str, str] | None = None,
) -> Response:
    person = clinic.store.patient(patient_id)
    if person is None:
        raise ClinicianMust("There is no patient of that number; open one from the worklist.")
    clinic.note_read(user.username, "patient page read", patient_id)
    context = replace(patient_context(clinic, patient_id), problem=problem, given=given or {})
    return page(request, "patient.html", status=422 if problem else 200, c=context)


def patient_context(clinic: Clinic, patient_id: str) -> PatientPage:
    """All that the patient page shows."""
    store = clinic.store
    person = store.patient(patient_id)
    assert person is not None
    order = [row.patient.patient_id for row in worklist(store)]
    place = order.index(patient_id)
    before = order[place - 1] if place > 0 else None
    after = order[place + 1] if place + 1 < len(order) else None
    consultation = decide.consultation_of(store, patient_id)
    waiting = waiting_for(store, patient_id)
    if consultation is None:
        return PatientPage(
            patient=person, consultation=None, waiting=waiting, charts=Charts(), severity_key=None,
            before=before, after=after,
        )  # fmt: skip
    decision = decide.decision_of(store, patient_id)
    outcomes = tuple(review.outcomes_of(store, patient_id))
    forecast = review.newest_forecast(store, patient_id) or consultation.forecast
    record = review.track_record_of(store, patient_id)
    draft = decide.draft_waiting(store, patient_id)
    prescriptions = tuple(store.records_of(patient_id, Signed, kind="prescription"))
    formula = consultation.formula
    sites = [site for site in (consultation.profile.skin, consultation.profile.gut) if site is not None]
    unmeasured = [text for site in sites for text in not_measured(site)]
    # without a model these are trials that were not found, and stand beside the forecast
    not_informed = consultation.forecast.not_informed if consultation.forecast.mechanistic else ()
    batch_g = draft.quantity_g if draft else prescriptions[-1].draft.quantity_g if prescriptions else 100.0
    return PatientPage(
        patient=person,
        consultation=consultation,
        waiting=waiting,
        charts=patient_charts(consultation, forecast, outcomes, arm=decision.arm if decision else None),
        severity_key=severity_of(consultation.forecast),
        out_of_line=tuple(text for site in sites for text in out_of_line(site)),
        not_measured=tuple(dict.fromkeys((*unmeasured, *not_informed))),
        arms=tuple(sorted(consultation.plan.arms, key=lambda arm: (not arm.allowed, arm.rank))),
        decision=decision,
        sheet=_sheet(formula, batch_g) if isinstance(formula, Formula) else None,
        reasons=reason_groups(formula) if isinstance(formula, Impossible) else (),
        draft=draft,
        prescriptions=prescriptions,
        orders=tuple(pharmacy.queue(store, patient_id=patient_id)),
        outcomes=outcomes,
        forecast_now=forecast,
        said=forecast_words(forecast, consultation.plan),
        prescribable=decide.may_prescribe(
            decision.arm if decision else consultation.plan.proposed_arm or "standard_care", consultation.plan
        ),
        words=plan_words(
            consultation.profile,
            consultation.forecast,
            consultation.plan,
            named_shelf(),
            decision.arm if decision else None,
        ),
        laboratory=laboratory_grid(person),
        instruments=_scored(person),
        record=record,
        record_grid=record_grid(record),
        before=before,
        after=after,
    )


def _scored(person: Patient) -> tuple[tuple[str, str, str], ...]:
    """What a visit scores: the condition's own instruments, those of her intake, itch and quality of life."""
    used = {score.instrument for score in person.scores} | {"itch_nrs", "dlqi"}
    return tuple(
        (key, row.label, f"{row.minimum:g}–{row.maximum:g}")
        for key, row in instruments().items()
        if person.condition in row.severity_of or key in used
    )


def _sheet(formula: Formula, batch_g: float) -> FormulaSheet:
    keeping = kept(("keeping", formula.id), lambda: keeping_courses(formula))
    return formula_sheet(formula, batch_g=batch_g, keeping=keeping)
